#pragma once
/// From voxels to the bytes of a strip or tile.

#include <cstddef>
#include <cstdint>
#include <span>

#include "spim/image.hpp"
#include "spim/options.hpp"

namespace spim::tiff {

enum class Codec { none, deflate, zstd };
enum class Predictor { none, horizontal };

/// How blocks are encoded.
struct Encoding {
  Codec codec = Codec::deflate;
  int level = 0;
  Predictor predictor = Predictor::none;

  /// The number of the method in the tag Compression.
  std::uint16_t compression_tag() const noexcept;
};

/// From the options compression, level and predictor of the writer. Throws UsageError.
Encoding encoding_of(const Options& options);

/// Rows and columns of a stored strip or tile.
struct BlockShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// Encodes `voxels`, padded with zeros to `block`, as samples of `type`. The bytes are those of the calling
/// thread, or of `voxels` itself, until its next call. Throws Error for a value above 255 when `type` is
/// uint8. [any thread]
std::span<const std::byte> encode_block(const Encoding& encoding, ImageView<const std::uint16_t> voxels,
                                        BlockShape block, PixelType type);

}  // namespace spim::tiff
