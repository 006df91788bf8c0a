#include "pixel_sample.hpp"

#include <algorithm>
#include <numeric>

namespace spim::cli {

namespace {

constexpr std::int64_t kFrames = 8;
constexpr std::int64_t kChunks = 64;
constexpr std::int64_t kLargestBox = 16'000'000;  ///< voxels read at once

}  // namespace

void Histogram::add(std::span<const std::uint16_t> samples) noexcept {
  for (const std::uint16_t v : samples) ++bins_[v];
}

std::int64_t Histogram::count() const noexcept {
  return std::accumulate(bins_.begin(), bins_.end(), std::int64_t{0});
}

std::uint16_t Histogram::minimum() const noexcept {
  const auto first = std::ranges::find_if(bins_, [](std::int64_t n) { return n > 0; });
  return first == bins_.end() ? std::uint16_t{0} : static_cast<std::uint16_t>(first - bins_.begin());
}

std::uint16_t Histogram::maximum() const noexcept {
  for (std::size_t v = bins_.size(); v-- > 0;)
    if (bins_[v] > 0) return static_cast<std::uint16_t>(v);
  return 0;
}

double Histogram::mean() const noexcept {
  double sum = 0;
  for (std::size_t v = 0; v < bins_.size(); ++v)
    sum += static_cast<double>(v) * static_cast<double>(bins_[v]);
  const std::int64_t n = count();
  return n > 0 ? sum / static_cast<double>(n) : 0;
}

std::uint16_t Histogram::percentile_above_zero(double f) const noexcept {
  const double wanted = f * static_cast<double>(count() - zeros());
  double below = 0;
  for (std::size_t v = 1; v < bins_.size(); ++v) {
    below += static_cast<double>(bins_[v]);
    if (bins_[v] > 0 && below >= wanted) return static_cast<std::uint16_t>(v);
  }
  return 0;
}

Histogram sample_frames(FrameReader& reader) {
  const StackInfo info = reader.info();
  const std::int64_t frames = std::min(kFrames, info.frames);
  std::vector<std::uint16_t> pixels(static_cast<std::size_t>(info.rows * info.columns));
  Histogram histogram;
  for (std::int64_t i = 0; i < frames; ++i) {
    const std::int64_t frame = frames == 1 ? 0 : i * (info.frames - 1) / (frames - 1);
    reader.read(frame, 0, {pixels.data(), info.rows, info.columns, info.columns});
    histogram.add(pixels);
  }
  return histogram;
}

Histogram sample_chunks(VolumeReader& reader) {
  const LevelInfo level = reader.level(0);
  const Index3 grid = ceil_div(level.shape, level.chunk);
  const std::int64_t chunks = count(grid);
  const std::int64_t sampled = std::min(kChunks, chunks);
  Histogram histogram;
  std::vector<std::uint16_t> voxels;
  for (std::int64_t i = 0; i < sampled; ++i) {
    // The odd step keeps the samples from standing in one column of the grid.
    const std::int64_t k = (i * chunks / sampled + i * 7919) % chunks;
    const Index3 at{k % grid.x, k / grid.x % grid.y, k / grid.x / grid.y};
    const Index3 begin{at.x * level.chunk.x, at.y * level.chunk.y, at.z * level.chunk.z};
    Box box = intersect({begin, begin + level.chunk}, {{0, 0, 0}, level.shape});
    while (count(box.size()) > kLargestBox && box.size().z > 1) box.end.z = box.begin.z + box.size().z / 2;
    while (count(box.size()) > kLargestBox && box.size().y > 1) box.end.y = box.begin.y + box.size().y / 2;
    voxels.resize(static_cast<std::size_t>(count(box.size())));
    reader.read(0, box, dense_view(voxels.data(), box.size()));
    histogram.add(voxels);
  }
  return histogram;
}

}  // namespace spim::cli
