// link: spim_dcimg
// How far measuring the illumination is from just reading the same frames.
//
//   export SPIM_BENCH_FOLDER=/dev/shm
//   build-bench/tests/illumination_bench --benchmark_repetitions=5
//   --benchmark_enable_random_interleaving=true
//
// A camera file of 2048 x 2048 frames is written to SPIM_BENCH_FOLDER (default: the folder for temporary
// files) and stays in the system's cache, which is the hardest case: from a disk, reading takes longer.
// `read` reads every frame into memory that was written before; `measure` is measure_illumination().
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "phantom/hash.hpp"
#include "plugins/readers/dcimg/dcimg.hpp"
#include "plugins/readers/dcimg/dcimg_options.hpp"
#include "spim/host/dcimg_writer.hpp"
#include "spim/host/illumination.hpp"
#include "support/table_options.hpp"
#include "tests/bench/quiet_host.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 2048, kFrames = 100;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Writes the file once; half of the samples are dark, the others spread over some hundred levels.
class CameraFile {
 public:
  CameraFile() {
    const char* folder = std::getenv("SPIM_BENCH_FOLDER");
    path_ = fs::path(folder != nullptr ? folder : fs::temp_directory_path().string()) /
            "illumination-bench.dcimg";
    spim::DcimgSettings settings;
    settings.frames = kFrames;
    settings.rows = settings.columns = kSide;
    spim::DcimgWriter writer(path_, settings);
    std::vector<std::uint16_t> frame(static_cast<std::size_t>(kSide * kSide));
    std::uint64_t state = 1;
    for (std::int64_t f = 0; f < kFrames; ++f) {
      for (std::uint16_t& sample : frame) {
        state = spim::mix(state + spim::kGoldenStep);
        const std::uint64_t light = (state & 1U) != 0 ? (state >> 8) % 300 + (state >> 24) % 600 : 0;
        sample = static_cast<std::uint16_t>(95 + (state >> 40) % 11 + light);
      }
      writer.write({frame.data(), kSide, kSide, kSide});
    }
    writer.close();
  }
  ~CameraFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  CameraFile(const CameraFile&) = delete;
  CameraFile& operator=(const CameraFile&) = delete;

  spim::CameraStack stack() {
    const spim::test::TableOptions options(spim::kDcimgOptions);
    return {path_.string(), std::make_shared<spim::DcimgReader>(host_, options.options(), path_.string())};
  }

 private:
  fs::path path_;
  spim::test::QuietHost host_;
};

CameraFile& camera_file() {
  static CameraFile file;
  return file;
}

void finish(benchmark::State& state, double cpu_before) {
  const std::int64_t bytes = kFrames * kSide * kSide * 2;
  state.SetBytesProcessed(state.iterations() * bytes);
  const double cpu = (cpu_seconds() - cpu_before) / static_cast<double>(state.iterations());
  state.counters["cpu_s"] = cpu;
  state.counters["MB_per_cpu_s"] = static_cast<double>(bytes) * 1e-6 / cpu;
}

void read(benchmark::State& state) {
  const spim::CameraStack stack = camera_file().stack();
  spim::CancelToken cancel;
  const spim::Executor executor(static_cast<int>(state.range(0)), cancel);
  std::vector<std::uint16_t> samples(static_cast<std::size_t>(executor.workers() * kSide * kSide));
  const double before = cpu_seconds();
  for (auto _ : state)
    executor.parallel_for(kFrames, [&](std::int64_t f, int worker) {
      stack.frames->read(f, 0, {samples.data() + worker * kSide * kSide, kSide, kSide, kSide});
    });
  finish(state, before);
}
BENCHMARK(read)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);

void measure(benchmark::State& state) {
  const spim::CameraStack stack = camera_file().stack();
  spim::CancelToken cancel;
  const spim::Executor executor(static_cast<int>(state.range(0)), cancel);
  spim::NoProgress progress;
  spim::IlluminationSettings settings;
  settings.percentile.bins = state.range(1);
  settings.percentile.values_per_bin = 4096 / state.range(1);
  settings.percentile.memory_bytes = std::int64_t{1} << 31;
  const double before = cpu_seconds();
  for (auto _ : state)
    benchmark::DoNotOptimize(spim::measure_illumination(std::span(&stack, 1), settings, executor, progress));
  finish(state, before);
}
// With 1024 bins the values are kept; 32 bins take less room, so that histograms are.
BENCHMARK(measure)
    ->ArgsProduct({{1, 2}, {1024, 32}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
