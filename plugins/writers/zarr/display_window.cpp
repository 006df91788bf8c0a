#include "display_window.hpp"

#include <algorithm>
#include <array>

namespace spim::zarr {

namespace {

constexpr std::int64_t kSamplesPerChunk = 4096;
constexpr double kLowShare = 0.01, kHighShare = 0.999;

}  // namespace

DisplayWindow::DisplayWindow() : histogram_(65536) {}

void DisplayWindow::sample(VolumeView<const std::uint16_t> voxels) {
  // Odd, so that even extents do not make it hit the same few columns again and again.
  const std::int64_t step = std::max<std::int64_t>(1, count(voxels.size) / kSamplesPerChunk) | 1;
  std::array<std::uint16_t, kSamplesPerChunk> values;
  std::size_t n = 0;
  for (std::int64_t i = 0; i < count(voxels.size) && n < values.size(); i += step) {
    const std::int64_t row = i / voxels.size.x;
    values[n++] = voxels.row(row % voxels.size.y, row / voxels.size.y)[i % voxels.size.x];
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < n; ++i) ++histogram_[values[i]];
}

GreyRange DisplayWindow::range(std::int64_t largest) const {
  std::uint64_t total = 0;
  for (std::size_t value = 1; value < histogram_.size(); ++value) total += histogram_[value];
  if (total == 0) return {0, largest};
  const auto percentile = [&](double share) {
    std::uint64_t below = 0;
    std::size_t value = 1;
    for (; value + 1 < histogram_.size(); ++value) {
      below += histogram_[value];
      if (static_cast<double>(below) >= share * static_cast<double>(total)) break;
    }
    return static_cast<std::int64_t>(value);
  };
  const std::int64_t start = std::clamp<std::int64_t>(percentile(kLowShare), 0, largest - 1);
  return {start, std::clamp<std::int64_t>(percentile(kHighShare), start + 1, largest)};
}

}  // namespace spim::zarr
