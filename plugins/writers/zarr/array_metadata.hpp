#pragma once
/// `.zarray`: what Zarr v2 says about one array.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/blosc_codec.hpp"
#include "common/chunk_grid.hpp"
#include "common/samples.hpp"

namespace spim::zarr {

enum class Compressor { none, blosc, zlib, gzip, zstd };

/// An array whose last three axes are z, y, x; any in front of them (time, channel) are `leading`.
struct ArrayMetadata {
  chunked::ChunkGrid grid;  ///< of the last three axes
  std::vector<std::int64_t> leading_shape, leading_chunk;
  chunked::SampleFormat format = chunked::SampleFormat::u16_little;
  Compressor compressor = Compressor::none;
  std::string codec;  ///< for people: "blosc zstd 5" …
  std::uint16_t fill = 0;
  char separator = '.';  ///< between the indices in a chunk's name

  /// Bytes of one decoded chunk, leading axes included; checked to be at most chunked::kLargestChunkBytes.
  std::int64_t chunk_bytes() const noexcept;
};

/// The text of `.zarray` for one level: shape [1,1,z,y,x].
std::string encode_array(const chunked::ChunkGrid& grid, PixelType type, const chunked::BloscSettings& codec);

/// Parses a `.zarray` that anybody wrote; what we cannot read (other types, Fortran order, filters) is an
/// Error that says so, naming `subject`.
ArrayMetadata parse_array(std::string_view text, const std::string& subject);

}  // namespace spim::zarr
