#pragma once
/// Grey pictures for people: contrast, proportions, PNG.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "spim/image.hpp"

namespace spim::cli {

/// A plane of grey levels and the size of its samples.
struct Picture {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::uint16_t> samples;  ///< rows × columns
  double row_um = 1;                   ///< distance between rows; any unit, only the ratio counts
  double column_um = 1;
};

/// Grey levels shown as black and as white.
struct Contrast {
  std::uint16_t black = 0;
  std::uint16_t white = 65535;
};

/// From the 0.5th to the 99.8th percentile of the samples that are not 0, which lie outside the data.
Contrast automatic_contrast(const Picture& picture);

/// The picture with square samples of the smaller of the two distances, interpolated linearly.
Picture with_square_samples(const Picture& picture);

/// Eight bits each of red, green and blue per sample.
struct ColourPicture {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::uint8_t> samples;  ///< rows × columns × 3
};

/// The bytes of a PNG file. Throws Error.
std::string png_of(const ColourPicture& picture);

/// The same of an 8-bit grey PNG. Throws Error.
std::string png_of(const Picture& picture, Contrast contrast);

/// Writes an 8-bit grey PNG. Throws Error.
void write_png(const std::filesystem::path& path, const Picture& picture, Contrast contrast);

}  // namespace spim::cli
