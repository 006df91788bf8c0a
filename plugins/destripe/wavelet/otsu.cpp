#include "otsu.hpp"

#include <algorithm>

#include "kernels.hpp"

namespace spim::wavelet {
namespace {

constexpr std::int64_t kLevels = 65536;

}  // namespace

double otsu_threshold(ImageView<const float> frame, Histogram& histogram) {
  // Neighbours often have the same value; two counters each keep one from waiting for the other.
  histogram.counts.assign(2 * kLevels, 0);
  histogram.levels.resize(static_cast<std::size_t>(frame.columns) + 1);
  std::uint32_t* counts = histogram.counts.data();
  for (std::int64_t y = 0; y < frame.rows; ++y) {
    std::int32_t* levels = histogram.levels.data();
    kernels().grey_levels(frame.row(y), levels, frame.columns);
    std::int64_t x = 0;
    for (; x + 1 < frame.columns; x += 2) {
      ++counts[2 * levels[x]];
      ++counts[2 * levels[x + 1] + 1];
    }
    if (x < frame.columns) ++counts[2 * levels[x]];
  }

  double total = 0, total_sum = 0;
  for (std::int64_t v = 0; v < kLevels; ++v) {
    const double count = static_cast<double>(counts[2 * v]) + counts[2 * v + 1];
    total += count;
    total_sum += count * static_cast<double>(v);
  }
  double below = 0, below_sum = 0, largest = -1;
  std::int64_t threshold = 0;
  for (std::int64_t v = 0; v < kLevels; ++v) {
    const double count = static_cast<double>(counts[2 * v]) + counts[2 * v + 1];
    if (count == 0) continue;  // the same as one level lower
    below += count;
    below_sum += count * static_cast<double>(v);
    const double above = total - below;
    if (above == 0) {
      if (largest < 0) return std::clamp(static_cast<double>(frame.row(0)[0]), 0.0, 65535.0);
      break;
    }
    const double difference = below_sum / below - (total_sum - below_sum) / above;
    const double variance = below * above * difference * difference;
    if (variance > largest) {
      largest = variance;
      threshold = v;
    }
  }
  return static_cast<double>(threshold);
}

}  // namespace spim::wavelet
