#pragma once
/// The yardstick of the benchmarks: how fast this machine copies memory right now.

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace spim::bench {

inline double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Bytes per CPU second of one thread that copies 64 MiB, the best of several.
inline double memcpy_rate() {
  const std::size_t bytes = std::size_t{64} << 20;
  std::vector<std::uint8_t> from(bytes, 1), to(bytes, 2);
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const double start = thread_seconds();
    std::memcpy(to.data(), from.data(), bytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
    best = std::max(best, static_cast<double>(bytes) / (thread_seconds() - start));
  }
  return best;
}

/// Reports `bytes` per iteration, as a rate and as a share of memcpy measured right after.
inline void report(benchmark::State& state, std::int64_t bytes, double seconds) {
  const double rate = static_cast<double>(bytes) * static_cast<double>(state.iterations()) / seconds;
  state.counters["GB/s"] = rate * 1e-9;
  state.counters["of_memcpy"] = rate / memcpy_rate();
}

}  // namespace spim::bench
