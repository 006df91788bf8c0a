#pragma once
/// What the metadata of one array say: `.zarray` of Zarr v2 or `zarr.json` of Zarr v3.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chunk_codec.hpp"
#include "common/chunk_grid.hpp"
#include "common/samples.hpp"
#include "shard_index.hpp"

namespace spim::zarr {

/// Axes that every array has, the last ones: z, y, x.
inline constexpr std::size_t kSpaceAxes = 3;
inline constexpr std::size_t kMostAxes = 5;

/// How the chunks of an array are put together in shards.
struct Sharding {
  Index3 chunks;                             ///< of a shard along x, y, z
  std::vector<std::int64_t> leading_chunks;  ///< of a shard along the axes in front
  IndexLayout index;
};

/// An array whose last three axes are z, y, x; any in front of them (time, channel) are `leading`.
struct ArrayMetadata {
  chunked::ChunkGrid grid;  ///< of the last three axes; chunk is what is decoded at once, inside shards too
  std::vector<std::int64_t> leading_shape, leading_chunk;
  chunked::SampleFormat format = chunked::SampleFormat::u16_little;
  ChunkCodecs codecs;
  std::string codec;  ///< for people: "blosc zstd 5" …
  std::uint16_t fill = 0;
  std::string key_prefix;  ///< in front of the indices in a chunk's name
  std::string separator;   ///< between them
  std::optional<Sharding> sharding;

  /// Bytes of one decoded chunk, leading axes included; checked to be at most chunked::kLargestChunkBytes.
  std::int64_t chunk_bytes() const noexcept;
};

/// What is written of a level: an array of shape [1,channels,z,y,x] whose files hold one chunk or one shard.
struct ArrayToWrite {
  chunked::ChunkGrid grid;
  std::int32_t channels = 1;
  PixelType type = PixelType::u16;
  WriteCodec codec;
  bool checksum = false;  ///< CRC-32C behind each chunk
  Index3 shard;           ///< voxels; {0,0,0} for a file per chunk
  IndexLocation index = IndexLocation::end;
};

/// The text of `.zarray` (never sharded).
std::string encode_array_v2(const ArrayToWrite& array);

/// The text of the array's `zarr.json`.
std::string encode_array_v3(const ArrayToWrite& array);

/// Parse metadata that anybody wrote; what we cannot read (other types, Fortran order, filters, transposed or
/// nested chunks …) is an Error that says so, naming `subject`.
ArrayMetadata parse_array_v2(std::string_view text, const std::string& subject);
ArrayMetadata parse_array_v3(std::string_view text, const std::string& subject);

/// Whether a `zarr.json` is that of an array, and not of a group. Throws Error when it is of neither.
bool is_array_v3(std::string_view text, const std::string& subject);

}  // namespace spim::zarr
