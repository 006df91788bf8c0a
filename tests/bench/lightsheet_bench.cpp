// link: spim_lightsheet
// Frames of 2048 x 2048 through the destriper `lightsheet`, each thread with an instance and frames of its
// own. Times are CPU seconds per frame; with two threads also how many frames come out per second of the
// clock, relative to one thread in the same run. Figures: docs/performance.md.
#include "plugins/destripe/lightsheet/lightsheet.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "bench/memcpy_rate.hpp"
#include "phantom/simulated_stack.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"

namespace {

using spim::lightsheet::LightsheetDestriper;

/// What the frames hold: counts of a camera; the same divided by a flat; noise over all 16 bits.
enum class Content { counts, fractions, noise };

constexpr std::int64_t kSide = 2048;
constexpr int kFrames = 6;

std::vector<float> frame_of(Content content) {
  std::vector<std::uint16_t> counts(static_cast<std::size_t>(kSide * kSide));
  if (content == Content::noise) {
    std::mt19937 random(1);
    for (std::uint16_t& v : counts) v = static_cast<std::uint16_t>(random());
  } else {
    spim::SimulatedStack stack;
    stack.frames = 1;
    stack.rows = stack.columns = kSide;
    stack.stripes = 0.4;
    stack.illumination = 0.5;
    stack.stored = spim::StoredFrames::oriented;
    spim::StackSimulator(stack).expose(0, {}, {counts.data(), kSide, kSide, kSide});
  }
  std::vector<float> frame(counts.begin(), counts.end());
  if (content == Content::fractions)
    for (std::size_t i = 0; i < frame.size(); ++i)
      frame[i] /= 0.6F + 0.4F * static_cast<float>(i % kSide) / kSide;
  return frame;
}

/// CPU seconds for kFrames frames on this thread.
double destripe(LightsheetDestriper& destriper, const std::vector<float>& original,
                std::vector<float>& frame) {
  double seconds = 0;
  for (int i = 0; i < kFrames; ++i) {
    std::copy(original.begin(), original.end(), frame.begin());
    const double start = spim::bench::thread_seconds();
    destriper.apply({frame.data(), kSide, kSide, kSide});
    seconds += spim::bench::thread_seconds() - start;
  }
  return seconds;
}

/// What one thread works with.
struct Worker {
  explicit Worker(const spim::test::TableOptions& options, spim::test::RecordingHost& host,
                  const std::vector<float>& original)
      : destriper(host, options.options()), frame(original) {}
  LightsheetDestriper destriper;
  std::vector<float> frame;
  double seconds = 0;
};

/// CPU seconds per frame with so many workers at the same time.
double run(std::vector<Worker>& workers, std::size_t threads, const std::vector<float>& original) {
  {
    std::vector<std::jthread> team;
    for (std::size_t i = 0; i < threads; ++i)
      team.emplace_back(
          [&, i] { workers[i].seconds = destripe(workers[i].destriper, original, workers[i].frame); });
  }
  double sum = 0;
  for (std::size_t i = 0; i < threads; ++i) sum += workers[i].seconds;
  return sum / static_cast<double>(threads) / kFrames;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Arguments: content, vertical stripes.
void lightsheet(benchmark::State& state) {
  const std::vector<float> original = frame_of(static_cast<Content>(state.range(0)));
  const spim::test::TableOptions options(
      LightsheetDestriper::kOptions, {{"stripe-direction", state.range(1) != 0 ? "vertical" : "horizontal"}});
  spim::test::RecordingHost host;
  std::vector<Worker> workers;
  for (int i = 0; i < 2; ++i) workers.emplace_back(options, host, original);
  run(workers, 2, original);
  std::vector<double> alone, both;
  for (auto _ : state) {
    alone.push_back(run(workers, 1, original));
    state.SetIterationTime(alone.back());
    both.push_back(run(workers, 2, original));
  }
  state.counters["median_ms"] = 1e3 * median(alone);
  state.counters["two_cores"] = 2 * median(alone) / median(both);
}

BENCHMARK(lightsheet)
    ->ArgNames({"content", "vertical"})
    ->ArgsProduct({{0, 1, 2}, {0}})
    ->Args({0, 1})
    ->UseManualTime()
    ->Iterations(15)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
