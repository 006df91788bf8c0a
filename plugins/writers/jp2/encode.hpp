#pragma once
/// Compresses one plane as a JPEG 2000 codestream, in the caller's thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.hpp"
#include "spim/image.hpp"

namespace spim::jp2 {

/// Larger planes are cut into tiles unless the user says otherwise, so that the codec's memory stays that of
/// a camera frame.
inline constexpr std::int64_t kLargestUntiled = 4096 * 4096;
inline constexpr std::int64_t kDefaultTile = 2048;

struct EncodeSettings {
  /// Peak signal to noise ratio of each quality layer in dB, rising, relative to the largest value of the
  /// sample's type; a last one of 0 makes the plane lossless. Not empty.
  std::vector<double> psnr_db;
  std::int64_t tile = 0;  ///< edge of a tile, samples; 0 for one tile
  std::string comment;    ///< ASCII, at most 65000 bytes
};

/// Reads "30,40,50,0". Throws UsageError when it is no list that EncodeSettings allows.
std::vector<double> parse_psnr(std::string_view text);

/// Writes `plane` to `file` from `begin` on and returns the bytes written. Samples of a plane of uint8 are at
/// most 255. Throws Error.
std::int64_t encode(ImageView<const std::uint16_t> plane, PixelType type, const EncodeSettings& settings,
                    const chunked::File& file, std::int64_t begin);

}  // namespace spim::jp2
