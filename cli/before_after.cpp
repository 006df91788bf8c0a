#include "before_after.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "pixel_sample.hpp"

namespace spim::cli {

namespace {

/// White columns between the pictures.
constexpr std::int64_t kGap = 8;
/// Middle grey.
constexpr double kMiddle = 128;

/// Exceeded by two of a thousand changes.
std::int64_t usual_change(const OwnedImage<std::uint16_t>& before, const OwnedImage<std::uint16_t>& after) {
  Histogram histogram;
  std::vector<std::uint16_t> sizes(before.samples.size());
  std::ranges::transform(before.samples, after.samples, sizes.begin(), [](std::uint16_t a, std::uint16_t b) {
    return static_cast<std::uint16_t>(std::abs(int{a} - int{b}));
  });
  histogram.add(sizes);
  return std::max<std::int64_t>(1, histogram.percentile_above_zero(0.998));
}

}  // namespace

Contrast common_contrast(const OwnedImage<std::uint16_t>& a, const OwnedImage<std::uint16_t>& b) {
  const auto contrast = [](const OwnedImage<std::uint16_t>& image) {
    Histogram histogram;
    histogram.add(image.samples);
    return Contrast{histogram.percentile_above_zero(0.005), histogram.percentile_above_zero(0.998)};
  };
  const Contrast first = contrast(a), second = contrast(b);
  const std::uint16_t black = std::min(first.black, second.black);
  const std::uint16_t white = std::max(first.white, second.white);
  return {black, std::max(white, static_cast<std::uint16_t>(std::min(black + 1, 65535)))};
}

BeforeAfterScale write_before_after(const std::filesystem::path& path,
                                    const OwnedImage<std::uint16_t>& before,
                                    const OwnedImage<std::uint16_t>& after) {
  const BeforeAfterScale scale{common_contrast(before, after), usual_change(before, after)};
  Picture picture;
  picture.rows = before.rows;
  picture.columns = 3 * before.columns + 2 * kGap;
  picture.samples.assign(static_cast<std::size_t>(picture.rows * picture.columns), 255);
  const auto grey = [&](double value) {
    return static_cast<std::uint16_t>(std::clamp(std::rint(value), 0.0, 255.0));
  };
  const auto shown = [&](std::uint16_t sample) {
    return grey(255.0 * (sample - scale.images.black) / (scale.images.white - scale.images.black));
  };
  for (std::int64_t y = 0; y < before.rows; ++y) {
    std::uint16_t* const row = picture.samples.data() + y * picture.columns;
    const std::uint16_t* const a = before.view().row(y);
    const std::uint16_t* const b = after.view().row(y);
    for (std::int64_t x = 0; x < before.columns; ++x) {
      row[x] = shown(a[x]);
      row[before.columns + kGap + x] = shown(b[x]);
      row[2 * (before.columns + kGap) + x] =
          grey(kMiddle + 127.0 * (int{b[x]} - int{a[x]}) / static_cast<double>(scale.change));
    }
  }
  write_png(path, picture, {0, 255});
  return scale;
}

}  // namespace spim::cli
