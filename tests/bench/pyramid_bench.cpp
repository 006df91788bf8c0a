// The pyramid fed with chunks of 64³ on one thread, counted in bytes of level 0, against memcpy in the same
// run. The limit: every voxel of level 0 is read once and an eighth of it written, 0.56 of the traffic of a
// copy, and again an eighth of that for each further level; the writer keeps nothing. Figures:
// docs/performance.md.
#include <benchmark/benchmark.h>

#include <vector>

#include "bench/memcpy_rate.hpp"
#include "spim/host/pyramid.hpp"

namespace {

using spim::Index3;

class NoWriter final : public spim::VolumeWriter {
 public:
  Index3 chunk_shape(const spim::VolumeSpec& spec) const override { return spec.chunk; }
  void begin(const spim::VolumeSpec&) override {}
  void write(const spim::ChunkAddress&, spim::VolumeView<const std::uint16_t>) override {}
  void finish() override {}
};

/// state.range(0): length of a chunk's side; range(1): levels.
void pyramid(benchmark::State& state) {
  const std::int64_t side = state.range(0);
  spim::VolumeSpec spec;
  spec.shape = {512, 256, 256};
  spec.chunk = {side, side, side};
  spec.levels = static_cast<std::int32_t>(state.range(1));
  const Index3 grid = ceil_div(spec.shape, spec.chunk);
  // As many different chunks as the volume has, so that they come from memory and not from the cache.
  std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(grid) * side * side * side));
  for (std::size_t i = 0; i < voxels.size(); ++i) voxels[i] = static_cast<std::uint16_t>(i * 31 + 1);
  const double start = spim::bench::thread_seconds();
  for (auto _ : state) {
    NoWriter writer;
    spim::Pyramid levels(writer, spec);
    const std::uint16_t* next = voxels.data();
    for (std::int64_t z = 0; z < grid.z; ++z)
      for (std::int64_t y = 0; y < grid.y; ++y)
        for (std::int64_t x = 0; x < grid.x; ++x) {
          const Index3 begin{x * side, y * side, z * side};
          const Index3 size = min(spec.chunk, spec.shape - begin);
          levels.add({x, y, z}, spim::dense_view(next, size));
          next += count(size);
        }
    benchmark::DoNotOptimize(levels.chunks());
  }
  const double seconds = spim::bench::thread_seconds() - start;
  spim::bench::report(state, count(spec.shape) * 2, seconds);
}

BENCHMARK(pyramid)
    ->ArgNames({"chunk", "levels"})
    ->Args({64, 2})
    ->Args({64, 5})
    ->Args({128, 5})
    ->Args({63, 5});

}  // namespace

BENCHMARK_MAIN();
