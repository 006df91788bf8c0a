// link: spim_dcimg spim_deflate
// How far the whole of dcimg2tif is from its codec (libdeflate on the same strips, from memory into memory,
// on as many threads), from what the original program does for each frame (tifffile with zlib level 3, in
// Python), and, without compression, from the disk (dd conv=fsync of as many bytes).
//
//   spimstitch simulate --output acquisition --frame-width 1024 --frame-height 1024 --frames 200
//   export SPIM_BENCH_CAMERA_FILE=acquisition/Ex_488_Em_1/0/0_0/0.dcimg SPIM_BENCH_FOLDER=/folder/on/the/disk
//   build-bench/tests/tiff_bench --benchmark_repetitions=3 --benchmark_enable_random_interleaving=true
#include <benchmark/benchmark.h>
#include <libdeflate.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "plugins/readers/dcimg/dcimg.hpp"
#include "plugins/readers/dcimg/dcimg_options.hpp"
#include "spim/host/executor.hpp"
#include "tests/bench/quiet_host.hpp"
#include "tests/support/table_options.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kStripBytes = 256 * 1024;

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

std::string camera_file() {
  const std::string camera = environment("SPIM_BENCH_CAMERA_FILE", "");
  if (camera.empty()) throw std::runtime_error("SPIM_BENCH_CAMERA_FILE names no camera file");
  return camera;
}

fs::path output_folder() {
  return fs::path(environment("SPIM_BENCH_FOLDER", fs::temp_directory_path().string())) / "tiff-bench";
}

const std::vector<std::vector<std::uint16_t>>& frames() {
  static const std::vector<std::vector<std::uint16_t>> all = [] {
    spim::test::QuietHost host;
    const spim::test::TableOptions options(spim::kDcimgOptions);
    spim::DcimgReader reader(host, options.options(), camera_file());
    const spim::StackInfo info = reader.info();
    std::vector<std::vector<std::uint16_t>> result;
    for (std::int64_t k = 0; k < info.frames; ++k) {
      result.emplace_back(static_cast<std::size_t>(info.rows * info.columns));
      reader.read(k, 0, {result.back().data(), info.rows, info.columns, info.columns});
    }
    return result;
  }();
  return all;
}

std::int64_t raw_bytes() {
  return static_cast<std::int64_t>(frames().size() * frames().front().size() * 2);
}

double cpu_seconds(int whose) {
  rusage usage{};
  getrusage(whose, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::size_t deflate_frame(const std::vector<std::uint16_t>& samples) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(1), libdeflate_free_compressor);
  std::vector<unsigned char> to(libdeflate_zlib_compress_bound(compressor.get(), kStripBytes));
  const auto* const from = reinterpret_cast<const unsigned char*>(samples.data());
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < samples.size() * 2; at += kStripBytes)
    bytes += libdeflate_zlib_compress(compressor.get(), from + at,
                                      std::min(kStripBytes, samples.size() * 2 - at), to.data(), to.size());
  return bytes;
}

void libdeflate_alone(benchmark::State& state) {
  const auto& all = frames();
  spim::CancelToken cancel;
  const spim::Executor executor(static_cast<int>(state.range(0)), cancel);
  std::vector<std::size_t> bytes(all.size());
  const double before = cpu_seconds(RUSAGE_SELF);
  for (auto _ : state)
    executor.parallel_for(static_cast<std::int64_t>(all.size()), [&](std::int64_t i, int) {
      bytes[static_cast<std::size_t>(i)] = deflate_frame(all[static_cast<std::size_t>(i)]);
    });
  state.counters["cpu_s"] = (cpu_seconds(RUSAGE_SELF) - before) / static_cast<double>(state.iterations());
  std::size_t total = 0;
  for (const std::size_t b : bytes) total += b;
  state.counters["MB"] = static_cast<double>(total) * 1e-6;
}
BENCHMARK(libdeflate_alone)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kSecond)->Iterations(1);

/// Runs `command`, which fills the output folder, alone on a disk that has nothing left to write.
void run_command(benchmark::State& state, const std::string& command) {
  (void)frames();
  const double before = cpu_seconds(RUSAGE_CHILDREN);
  for (auto _ : state) {
    state.PauseTiming();
    fs::remove_all(output_folder());
    fs::create_directories(output_folder());
    ::sync();
    state.ResumeTiming();
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  }
  state.counters["cpu_s"] = (cpu_seconds(RUSAGE_CHILDREN) - before) / static_cast<double>(state.iterations());
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(output_folder())) bytes += entry.file_size();
  state.counters["MB"] = static_cast<double>(bytes) * 1e-6;
  fs::remove_all(output_folder());
}

/// Arguments: --compression, --n-workers.
void whole_command(benchmark::State& state) {
  const fs::path program = fs::canonical("/proc/self/exe").parent_path().parent_path() / "bin/dcimg2tif";
  run_command(state, program.string() + " --silent --compression " + std::to_string(state.range(0)) +
                         " --n-workers " + std::to_string(state.range(1)) + " --input '" + camera_file() +
                         "' --output-pattern '" + (output_folder() / "img_%05d.tiff").string() + "'");
}
BENCHMARK(whole_command)
    ->Args({3, 1})
    ->Args({3, 2})
    ->Args({0, 1})
    ->Args({0, 2})
    ->UseRealTime()
    ->Unit(benchmark::kSecond)
    ->Iterations(1);

/// The same frames, one after the other, as the original writes them.
void tifffile_zlib_3(benchmark::State& state) {
  run_command(state,
              "/usr/bin/python3 -c 'import sys, numpy, tifffile\n"
              "rows, columns, count = map(int, sys.argv[3:])\n"
              "file = open(sys.argv[1], \"rb\")\n"
              "for k in range(count):\n"
              "    frame = numpy.fromfile(file, \"<u2\", rows * columns).reshape(rows, columns)\n"
              "    tifffile.imwrite(sys.argv[2] % k, frame, compression=(\"zlib\", 3))\n"
              "' '" +
                  camera_file() + "' '" + (output_folder() / "img_%05d.tiff").string() + "' 1024 " +
                  std::to_string(frames().front().size() / 1024) + " " + std::to_string(frames().size()));
}
BENCHMARK(tifffile_zlib_3)->UseRealTime()->Unit(benchmark::kSecond)->Iterations(1);

void dd_with_fsync(benchmark::State& state) {
  run_command(state, "dd if='" + camera_file() + "' of='" + (output_folder() / "raw").string() +
                         "' bs=1M count=" + std::to_string(raw_bytes() >> 20) + " conv=fsync 2>/dev/null");
}
BENCHMARK(dd_with_fsync)->UseRealTime()->Unit(benchmark::kSecond)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
