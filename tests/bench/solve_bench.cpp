// link: spim_test_support
// The global part of an alignment: which tiles overlap, and where all of them are. It grows linearly with the
// number of overlapping pairs. Figures: docs/performance.md.
#include <benchmark/benchmark.h>

#include "support/tile_grid.hpp"

namespace {

using spim::test::TileGrid;

/// range(0) tiles along each axis; one link in fifty lies by some ten voxels.
TileGrid grid_of(const benchmark::State& state) {
  return TileGrid({state.range(0), state.range(0), state.range(0)}, 8);
}

void plan(benchmark::State& state) {
  const TileGrid grid = grid_of(state);
  for (auto _ : state) benchmark::DoNotOptimize(grid.pairs());
  state.counters["tiles"] = static_cast<double>(grid.tiles.size());
  state.counters["pairs"] = static_cast<double>(grid.pairs().size());
}
BENCHMARK(plan)->Arg(5)->Arg(10)->Arg(15)->Unit(benchmark::kMillisecond);

void solve(benchmark::State& state) {
  const TileGrid grid = grid_of(state);
  spim::AlignmentResult links = grid.links();
  for (std::size_t k = 7; k < links.links.size(); k += 50)
    links.links[k].shift_voxels = links.links[k].shift_voxels + spim::Vec3{9, -14, 6};
  for (auto _ : state) {
    spim::AlignmentResult result = links;
    spim::solve_positions(result, {.align_xz = true});
    benchmark::DoNotOptimize(result.verdict);
  }
  state.counters["tiles"] = static_cast<double>(grid.tiles.size());
  state.counters["links"] = static_cast<double>(links.links.size());
}
BENCHMARK(solve)->Arg(5)->Arg(10)->Arg(15)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
