// link: spim_wavelet
// Wavelet destriping of one camera frame, CPU time of the threads, against memcpy of the same frame in the
// same run and against the 1.53 CPU seconds of the original. Bytes and operations: docs/performance.md.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "bench/memcpy_rate.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "wavelet.hpp"
#include "wavelet_options.hpp"

namespace {

constexpr double kOriginalSeconds = 1.53;  // 2048 x 2048, sigma 128 and 512, db5, all levels

/// Cells on a background with stripes along the rows and shot noise, whole grey levels.
std::vector<float> striped_frame(std::int64_t rows, std::int64_t columns) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> frame(static_cast<std::size_t>(rows * columns));
  for (std::int64_t y = 0; y < rows; ++y) {
    const float stripe = 1 - 0.3F * std::min(1.0F, std::abs(normal(random)));
    for (std::int64_t x = 0; x < columns; ++x) {
      const float u = static_cast<float>(x % 64) - 32, v = static_cast<float>(y % 64) - 32;
      const float signal = (200 + 3000 * std::exp(-0.02F * (u * u + v * v))) * stripe;
      frame[static_cast<std::size_t>(y * columns + x)] =
          std::round(std::max(0.0F, 100 + signal + std::sqrt(signal) * normal(random)));
    }
  }
  return frame;
}

void destripe(benchmark::State& state) {
  const std::int64_t side = state.range(0);
  spim::test::RecordingHost host;
  const spim::test::TableOptions options(spim::kWaveletOptions, {{"sigma1", std::to_string(state.range(1))},
                                                                 {"sigma2", std::to_string(state.range(2))},
                                                                 {"wavelet", "db5"}});
  spim::WaveletDestriper destriper(host, options.options());
  const std::vector<float> frame = striped_frame(side, side);
  std::vector<float> work = frame;
  destriper.apply({work.data(), side, side, side});  // the first frame makes the plan
  double seconds = 0;
  for (auto _ : state) {
    std::memcpy(work.data(), frame.data(), frame.size() * sizeof(float));
    const double start = spim::bench::thread_seconds();
    destriper.apply({work.data(), side, side, side});
    const double taken = spim::bench::thread_seconds() - start;
    state.SetIterationTime(taken);
    seconds += taken;
    benchmark::DoNotOptimize(work.data());
  }
  const double each = seconds / static_cast<double>(state.iterations());
  const double megapixels = static_cast<double>(side * side) * 1e-6;
  state.counters["ms_cpu"] = benchmark::Counter(1000 * each, benchmark::Counter::kAvgThreads);
  state.counters["of_original"] =
      benchmark::Counter(kOriginalSeconds * megapixels / 4.194304 / each, benchmark::Counter::kAvgThreads);
  // A copy of the frame as float32: what reading and writing it once costs.
  const double copy = static_cast<double>(side * side) * sizeof(float) / spim::bench::memcpy_rate();
  state.counters["copies"] = benchmark::Counter(each / copy, benchmark::Counter::kAvgThreads);
}

BENCHMARK(destripe)
    ->ArgNames({"side", "sigma1", "sigma2"})
    ->Args({2048, 128, 512})
    ->Args({2048, 128, 128})
    ->Args({2048, 32, 64})
    ->Args({1024, 128, 512})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(destripe)
    ->ArgNames({"side", "sigma1", "sigma2"})
    ->Args({2048, 128, 512})
    ->Threads(2)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
