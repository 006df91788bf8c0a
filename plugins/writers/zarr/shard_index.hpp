#pragma once
/// The index of a shard of Zarr v3's codec "sharding_indexed": offset and size of each chunk, two u64 each,
/// in C order of the chunks; both 2^64−1 for a chunk that is not stored.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/little_endian.hpp"
#include "common/shard_files.hpp"

namespace spim::zarr {

enum class IndexLocation { start, end };

/// How an index is stored.
struct IndexLayout {
  std::size_t slots = 0;  ///< chunks of a shard
  IndexLocation location = IndexLocation::end;
  chunked::ByteOrder order = chunked::ByteOrder::little;
  int checksums = 1;  ///< CRC-32C behind the entries

  std::size_t bytes() const noexcept { return 16 * slots + 4 * static_cast<std::size_t>(checksums); }
};

/// The index of chunks at `places`, little endian, with one checksum.
std::vector<std::byte> encode_index(std::span<const chunked::ChunkPlace> places);

/// Decodes the layout.bytes() bytes of an index. Whatever they are, afterwards every chunk that is not absent
/// lies inside a file of `file_size` bytes and outside its index. Throws Error without a subject. Chunks may
/// overlap: the format lets equal chunks share their bytes.
std::vector<chunked::ChunkPlace> decode_index(const IndexLayout& layout, std::span<const std::byte> bytes,
                                              std::uint64_t file_size);

}  // namespace spim::zarr
