#include "stored_quality.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "decode.hpp"
#include "spim/clones.hpp"

namespace spim::jp2 {

namespace {

/// Of the squares of differences of at most 2^31 samples.
SPIM_CLONES std::uint64_t squared_error(const std::uint16_t* a, const std::uint16_t* b, std::int64_t count) {
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t difference = std::int64_t{a[i]} - b[i];
    sum += static_cast<std::uint64_t>(difference * difference);
  }
  return sum;
}

PlaneFile plane_at(const chunked::File& file, IndexRange codestream) {
  std::vector<std::byte> head(
      std::min<std::size_t>(static_cast<std::size_t>(codestream.size()), kHeaderBytes));
  file.read(static_cast<std::uint64_t>(codestream.begin), head);
  PlaneFile plane;
  plane.image = read_codestream_header(head);
  plane.begin = codestream.begin;
  plane.end = codestream.end;
  return plane;
}

}  // namespace

double stored_psnr(const chunked::File& file, IndexRange codestream, ImageView<const std::uint16_t> plane,
                   PixelType type) {
  const PlaneFile stored = plane_at(file, codestream);
  const std::int64_t band = std::clamp<std::int64_t>(kBandSamples / plane.columns, 1, plane.rows);
  std::vector<std::uint16_t> samples(static_cast<std::size_t>(band * plane.columns));
  double error = 0;
  for (std::int64_t row = 0; row < plane.rows; row += band) {
    const std::int64_t rows = std::min(band, plane.rows - row);
    decode(file, stored, {row, 0}, {samples.data(), rows, plane.columns, plane.columns});
    for (std::int64_t i = 0; i < rows; ++i)
      error += static_cast<double>(
          squared_error(samples.data() + i * plane.columns, plane.row(row + i), plane.columns));
  }
  if (error == 0) return std::numeric_limits<double>::infinity();
  const double peak = type == PixelType::u8 ? UINT8_MAX : UINT16_MAX;
  return 10 * std::log10(peak * peak * static_cast<double>(plane.rows) * static_cast<double>(plane.columns) /
                         error);
}

}  // namespace spim::jp2
