// link: spim_blockfs spim_dcimg
// How far the whole of dcimg2oblique is from its codec: the same chunks, the same number of threads.
//
//   spimstitch simulate --output acquisition --frame-width 1024 --frame-height 1024 --frames 200
//   export SPIM_BENCH_CAMERA_FILE=acquisition/Ex_488_Em_1/0/0_0/0.dcimg SPIM_BENCH_FOLDER=/dev/shm
//   build-bench/tests/convert_bench --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
//
// SPIM_BENCH_FOLDER is where the volume is written (default: the folder for temporary files). The limit is
// the codec: each voxel of each level is compressed once; reading, deskewing, the pyramid and writing must
// hide behind it.
#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "plugins/writers/blockfs/blockfs_reader.hpp"
#include "plugins/writers/common/blosc_codec.hpp"
#include "spim/host/executor.hpp"
#include "tests/bench/quiet_host.hpp"

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

fs::path output_folder() {
  return fs::path(environment("SPIM_BENCH_FOLDER", fs::temp_directory_path().string())) / "convert-bench";
}

/// Runs the command as a user does; throws when it fails.
void convert() {
  const std::string camera = environment("SPIM_BENCH_CAMERA_FILE", "");
  if (camera.empty()) throw std::runtime_error("SPIM_BENCH_CAMERA_FILE names no camera file");
  const fs::path program = fs::canonical("/proc/self/exe").parent_path().parent_path() / "bin/dcimg2oblique";
  const std::string command = program.string() + " --silent --rotate-90 3 --flip-ud --input '" + camera +
                              "' --output '" + output_folder().string() + "' > /dev/null";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

double children_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Every chunk that the command stored, of all levels, decoded.
const std::vector<std::vector<std::uint16_t>>& stored_chunks() {
  static const std::vector<std::vector<std::uint16_t>> chunks = [] {
    std::vector<std::vector<std::uint16_t>> all;
    fs::remove_all(output_folder());
    convert();
    spim::test::QuietHost host;
    spim::blockfs::BlockfsReader reader(host, {}, output_folder().string());
    for (std::int32_t l = 0; l < reader.info().levels; ++l) {
      const spim::LevelInfo level = reader.level(l);
      const spim::Index3 grid = ceil_div(level.shape, level.chunk);
      for (std::int64_t z = 0; z < grid.z; ++z)
        for (std::int64_t y = 0; y < grid.y; ++y)
          for (std::int64_t x = 0; x < grid.x; ++x) {
            const spim::Index3 begin{x * level.chunk.x, y * level.chunk.y, z * level.chunk.z};
            const spim::Box box{begin, min(begin + level.chunk, level.shape)};
            std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(box.size())));
            reader.read(l, box, spim::dense_view(voxels.data(), box.size()));
            const bool zero =
                std::all_of(voxels.begin(), voxels.end(), [](std::uint16_t v) { return v == 0; });
            if (!zero) all.push_back(std::move(voxels));
          }
    }
    return all;
  }();
  return chunks;
}

void codec_alone(benchmark::State& state) {
  const auto& chunks = stored_chunks();
  spim::CancelToken cancel;
  const spim::Executor executor(0, cancel);
  const spim::chunked::BloscSettings settings;
  std::int64_t bytes = 0;
  for (const auto& chunk : chunks) bytes += static_cast<std::int64_t>(chunk.size() * 2);
  for (auto _ : state)
    executor.parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i, int) {
      static thread_local spim::chunked::Scratch scratch;
      const auto& chunk = chunks[static_cast<std::size_t>(i)];
      benchmark::DoNotOptimize(
          spim::chunked::blosc_encode(settings, 2, std::as_bytes(std::span(chunk)), scratch));
    });
  state.SetBytesProcessed(state.iterations() * bytes);
}
BENCHMARK(codec_alone)->UseRealTime()->Unit(benchmark::kSecond)->Iterations(1);

/// Touches as much memory as the command will and frees it. A virtual machine gives free memory back to its
/// host; the first touch afterwards costs up to forty times the clearing (measured: 268 MB in 1.0 s, again at
/// once in 0.025 s). SPIM_BENCH_COLD_MEMORY keeps that cost in the figure.
void warm_memory() {
  if (std::getenv("SPIM_BENCH_COLD_MEMORY") != nullptr) return;
  constexpr std::size_t kBytes = std::size_t{512} << 20;
  void* const p = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::runtime_error("no memory to warm");
  ::madvise(p, kBytes, MADV_HUGEPAGE);
  for (std::size_t i = 0; i < kBytes; i += 4096) static_cast<volatile char*>(p)[i] = 1;
  ::munmap(p, kBytes);
}

void whole_command(benchmark::State& state) {
  const double before = children_cpu_seconds();
  for (auto _ : state) {
    state.PauseTiming();  // removing hundreds of MB is not the command's work
    fs::remove_all(output_folder());
    warm_memory();
    state.ResumeTiming();
    convert();
  }
  state.counters["cpu_s"] = (children_cpu_seconds() - before) / static_cast<double>(state.iterations());
}
BENCHMARK(whole_command)->UseRealTime()->Unit(benchmark::kSecond)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
