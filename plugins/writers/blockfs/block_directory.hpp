#pragma once
/// The directory file of one blockfs level, `precomputed.blockfs`: where each block lies in the block files.
///
/// Little endian: "BlockFS\0", u32 length L of the JSON, u32 offset of the entries, L bytes of JSON, entries.
/// Entry k has (offset_bits + size_bits + 7) / 8 bytes holding offset | size << offset_bits, with
/// k = x·stride.x + y·stride.y + z·stride.z for block (x,y,z); block k lies in file k mod the number of
/// files. An entry of size 0, or behind the end of the directory file, is a block of zeros.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/chunk_grid.hpp"
#include "spim/image.hpp"

namespace spim::blockfs {

inline constexpr char kDirectoryName[] = "precomputed.blockfs";
inline constexpr std::size_t kFixedHeaderBytes = 16;
/// Widest entry that is read or written: 63 bits each for offset and size.
inline constexpr std::size_t kWidestEntry = 16;

/// Block files that a level may have: a volume in parts has one for each column of blocks along y.
inline constexpr std::int64_t kMostBlockFiles = 1 << 20;
/// Longest JSON: that of so many files, whose names have 28 bytes each.
inline constexpr std::uint64_t kLargestHeader = std::uint64_t{64} << 20;

/// Where one block lies; size 0 means that it is not stored.
struct BlockPlace {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  friend bool operator==(const BlockPlace&, const BlockPlace&) = default;
};

/// Everything that the directory file says, except the entries.
struct BlockDirectory {
  chunked::ChunkGrid grid;
  Index3 stride;  ///< entries from one block to the next on each axis
  PixelType type = PixelType::u16;
  unsigned offset_bits = 0;
  unsigned size_bits = 0;
  std::vector<std::string> files;  ///< names as written, absolute or relative
  std::string codec = "zstd";
  int level = 5;
  std::uint64_t entries_at = 0;  ///< byte offset of entry 0

  std::size_t entry_bytes() const noexcept { return (offset_bits + size_bits + 7) / 8; }
  std::uint64_t entry(Index3 block) const noexcept {
    return static_cast<std::uint64_t>(block.x * stride.x + block.y * stride.y + block.z * stride.z);
  }
  std::uint64_t entry_at(Index3 block) const noexcept { return entries_at + entry(block) * entry_bytes(); }
  /// Bytes of the whole directory file when no entry is left out.
  std::uint64_t full_size() const noexcept;
};

/// A directory for writing: strides of a dense grid, and bits that are enough for every block stored without
/// compression. Throws Error when the volume is too large for the format.
BlockDirectory plan_directory(const chunked::ChunkGrid& grid, PixelType type, std::vector<std::string> files);

/// The bytes in front of the entries; sets directory.entries_at.
std::string encode_header(BlockDirectory& directory);

/// Sizes of the two parts of a header from its first 16 bytes; `file_size` limits them. Throws Error.
std::uint64_t header_size(std::span<const std::byte, kFixedHeaderBytes> fixed, std::uint64_t file_size,
                          const std::string& subject);

/// Parses a header of header_size() bytes. Whatever the bytes are, afterwards every block of the grid has an
/// entry whose position is free of overflow. Throws Error naming `subject`.
BlockDirectory parse_header(std::span<const std::byte> header, const std::string& subject);

void encode_entry(const BlockDirectory& directory, BlockPlace place, std::span<std::byte> entry);
BlockPlace decode_entry(const BlockDirectory& directory, std::span<const std::byte> entry);

}  // namespace spim::blockfs
