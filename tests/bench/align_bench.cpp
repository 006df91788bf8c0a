// link: spim_pearson spim_phase spim_test_support
// What it costs to compare one pair of tiles that lie in memory: 1024x1024 frames, overlap of 10 % along y,
// shot noise, stripes, uneven illumination. One thread; the figure to beat is that of the original program:
// 23.6 CPU seconds for 2x2 tiles (four pairs) with windows of 51³, a sigma of 10 µm and 10 samples per pair.
// Figures: docs/performance.md.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/memcpy_rate.hpp"
#include "plugins/align/pearson/pearson.hpp"
#include "plugins/align/phase/phase.hpp"
#include "support/recording_host.hpp"
#include "support/simulated_tile.hpp"
#include "support/table_options.hpp"

namespace {

using spim::test::SimulatedTile;
using spim::test::TableOptions;

/// The last rows of one tile and the first of the next, all that their overlap needs.
struct Tiles {
  Tiles() {
    spim::SimulatedStack stack;
    stack.frames = 200;
    stack.rows = 300;
    stack.columns = 512;
    stack.stripes = 0.2;
    stack.illumination = 0.3;
    pair = spim::test::tile_pair(stack, {0, 198, 0}, {3.2, -4.1, 2.3});
    fixed = std::make_unique<SimulatedTile>(pair.fixed);
    moving = std::make_unique<SimulatedTile>(pair.moving);
  }
  spim::test::TilePair pair;
  std::unique_ptr<SimulatedTile> fixed, moving;
};

const Tiles& tiles() {
  static const Tiles tiles;
  return tiles;
}

struct Counter final : spim::ShiftSink {
  void add(const spim::ShiftSample&) override { ++count; }
  int count = 0;
};

template <class T, std::size_t N>
void align_pair(benchmark::State& state, const spim::OptionSpec (&table)[N],
                const std::map<std::string, std::string>& given) {
  // As the program does: freed windows are kept for the next.
  constexpr int kLargestKept = 1 << 30;
  ::mallopt(M_MMAP_THRESHOLD, kLargestKept);
  ::mallopt(M_TRIM_THRESHOLD, kLargestKept);
  spim::test::RecordingHost host;
  const TableOptions options(table, given);
  T aligner(host, options.options());
  spim::AlignTask task;
  task.fixed = tiles().fixed.get();
  task.moving = tiles().moving.get();
  task.guess_voxels = tiles().pair.guess_voxels;
  task.voxel_um = tiles().fixed->voxel_um();
  Counter counter;
  const double start = spim::bench::thread_seconds();
  for (auto _ : state) {
    ++task.seed;
    aligner.align(task, counter);
  }
  const double seconds = spim::bench::thread_seconds() - start;
  state.counters["samples"] = static_cast<double>(counter.count) / static_cast<double>(state.iterations());
  state.counters["ms_per_sample"] = 1e3 * seconds / std::max(1, counter.count);
}

void pearson_defaults(benchmark::State& state) {
  align_pair<spim::PearsonAligner>(state, spim::kPearsonOptions, {});
}
void pearson_large_windows(benchmark::State& state) {
  align_pair<spim::PearsonAligner>(state, spim::kPearsonOptions,
                                   {{"sigma", "10"}, {"window-size", "51,51,51"}, {"sample-count", "100"}});
}
void phase_defaults(benchmark::State& state) {
  align_pair<spim::PhaseAligner>(state, spim::kPhaseOptions, {});
}

BENCHMARK(pearson_defaults)->Unit(benchmark::kMillisecond)->Iterations(2);
BENCHMARK(pearson_large_windows)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(phase_defaults)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
