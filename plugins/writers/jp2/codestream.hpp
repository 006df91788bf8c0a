#pragma once
/// The main header of a JPEG 2000 codestream (ITU-T T.800, annex A), read before a decoder sees the file.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "spim/image.hpp"

namespace spim::jp2 {

/// Bytes from the start of a codestream that hold what read_codestream_header() looks for: two marker
/// segments of the largest size, one of them a comment.
inline constexpr std::size_t kHeaderBytes = 160 << 10;

/// Samples of the largest image that is decoded: 32768 x 32768, four bytes each while decoding. No camera or
/// stitched plane reaches it; a damaged size does.
inline constexpr std::int64_t kLargestImage = std::int64_t{1} << 30;

/// What the main header says of an image of one unsigned component.
struct CodestreamHeader {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t first_row = 0;  ///< of the image on the reference grid
  std::int64_t first_column = 0;
  std::int64_t tile_rows = 0;
  std::int64_t tile_columns = 0;
  int bits = 0;           ///< of a sample, 1 … 16
  int layers = 0;         ///< quality layers
  int resolutions = 0;    ///< decompositions + 1
  bool lossless = false;  ///< reversible wavelet; samples are exact if no layer was cut off
  std::string comment;    ///< the first one that is text, as it stands

  PixelType type() const noexcept { return bits <= 8 ? PixelType::u8 : PixelType::u16; }
};

/// True when `bytes` begin as a codestream does.
bool starts_codestream(std::span<const std::byte> bytes) noexcept;

/// Reads the header from the first bytes of a codestream. Throws Error, without a subject, for what is no
/// grey image of unsigned samples of at most 16 bits, for absurd sizes, and for a header that is damaged or
/// longer than `bytes`.
CodestreamHeader read_codestream_header(std::span<const std::byte> bytes);

}  // namespace spim::jp2
