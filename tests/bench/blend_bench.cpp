// Chunks of a mosaic whose tiles lie in memory, on one thread, counted in output bytes, against memcpy in the
// same run. The limit: each tile's voxels must be read once from memory (2 bytes) and each output voxel
// written once, so with n tiles a chunk costs at least n/2 + 1/2 times the traffic of a copy. Figures:
// docs/performance.md.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <vector>

#include "bench/memcpy_rate.hpp"
#include "spim/host/mosaic.hpp"

namespace {

using spim::Box;
using spim::Index3;

constexpr Index3 kTile{512, 256, 256};
constexpr std::int64_t kChunk = 64;

/// A tile in memory: reading it is copying it.
class DenseTile final : public spim::VolumeSource {
 public:
  explicit DenseTile(std::uint16_t seed) : voxels_(static_cast<std::size_t>(count(kTile))) {
    for (std::size_t i = 0; i < voxels_.size(); ++i) voxels_[i] = static_cast<std::uint16_t>(i * 31 + seed);
  }
  Index3 shape() const override { return kTile; }
  spim::Vec3 voxel_um() const override { return {1.28, 1.8, 1.27}; }
  spim::PixelType type() const override { return spim::PixelType::u16; }
  spim::ValidRegion region() const override { return {kTile, 1, 0, kTile.x - kTile.z + 1, 1}; }
  std::int64_t memory_for(const Box&, std::span<const Box>) const override { return 0; }
  std::int64_t plan_loads(const Box&, std::span<const Box>) override { return 0; }
  void load(std::int64_t) override {}
  void read(const Box& box, spim::VolumeView<std::uint16_t> out) const override {
    const auto all = dense_view(voxels_.data(), kTile);
    for (std::int64_t z = 0; z < out.size.z; ++z)
      for (std::int64_t y = 0; y < out.size.y; ++y)
        std::memcpy(out.row(y, z), all.row(box.begin.y + y, box.begin.z + z) + box.begin.x,
                    static_cast<std::size_t>(out.size.x) * sizeof(std::uint16_t));
  }

 private:
  std::vector<std::uint16_t> voxels_;
};

/// A single voxel, so that the other tiles keep their fractions when positions are rebased.
class Corner final : public spim::VolumeSource {
 public:
  Index3 shape() const override { return {1, 1, 1}; }
  spim::Vec3 voxel_um() const override { return {1.28, 1.8, 1.27}; }
  spim::PixelType type() const override { return spim::PixelType::u16; }
  spim::ValidRegion region() const override { return {{1, 1, 1}, 1, 0, 1, 1}; }
  std::int64_t memory_for(const Box&, std::span<const Box>) const override { return 0; }
  std::int64_t plan_loads(const Box&, std::span<const Box>) override { return 0; }
  void load(std::int64_t) override {}
  void read(const Box&, spim::VolumeView<std::uint16_t> out) const override { out.data[0] = 1; }
};

/// state.range(0): tiles that cover every voxel; range(1): 1 for sub-voxel positions.
void mosaic_chunks(benchmark::State& state) {
  const bool linear = state.range(1) != 0;
  std::vector<spim::PlacedTile> tiles;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const double step = linear ? 3.3 : 3;
    tiles.push_back({std::make_shared<DenseTile>(static_cast<std::uint16_t>(i)),
                     {step * static_cast<double>(i + 1), step * static_cast<double>(i % 2), 0},
                     "tile"});
  }
  if (linear) tiles.push_back({std::make_shared<Corner>(), {0, 0, 0}, "corner"});
  spim::MosaicSettings settings;
  settings.interpolation = linear ? spim::Interpolation::linear : spim::Interpolation::nearest;
  const auto mosaic = spim::mosaic(tiles, settings);
  std::vector<Box> boxes;
  for (std::int64_t z = 0; z + kChunk <= kTile.z; z += kChunk)
    for (std::int64_t y = 0; y + kChunk <= kTile.y; y += kChunk)
      boxes.push_back({{2 * kChunk + z, y, z}, {3 * kChunk + z, y + kChunk, z + kChunk}});
  std::vector<std::uint16_t> out(static_cast<std::size_t>(kChunk * kChunk * kChunk));
  const double start = spim::bench::thread_seconds();
  for (auto _ : state) {
    for (const Box& box : boxes) {
      mosaic->read(box, spim::dense_view(out.data(), box.size()));
      benchmark::DoNotOptimize(out.data());
      benchmark::ClobberMemory();
    }
  }
  const double seconds = spim::bench::thread_seconds() - start;
  spim::bench::report(state, static_cast<std::int64_t>(boxes.size() * out.size() * sizeof(std::uint16_t)),
                      seconds);
}

BENCHMARK(mosaic_chunks)
    ->ArgNames({"tiles", "linear"})
    ->Args({1, 0})
    ->Args({2, 0})
    ->Args({3, 0})
    ->Args({4, 0})
    ->Args({1, 1})
    ->Args({2, 1});

}  // namespace

BENCHMARK_MAIN();
