// link: spim_zarr spim_precomputed
// What it costs to put chunks into files: one file per chunk or many in a shard. A volume of 512 x 512 x 1024
// voxels in chunks of 64³, compressed and written into the folder that SPIM_BENCH_FOLDER names (/tmp if
// none). One thread; bytes per second count uncompressed voxels per CPU second, the kernel's part included.
// docs/performance.md, section Shards, holds the figures.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "plugins/writers/precomputed/precomputed_writer.hpp"
#include "plugins/writers/zarr/zarr_writer.hpp"
#include "support/table_options.hpp"
#include "tests/bench/camera_cube.hpp"
#include "tests/bench/quiet_host.hpp"

namespace {

namespace fs = std::filesystem;
using namespace spim;

constexpr std::int64_t kEdge = 64;

/// Chunks of tissue and of background, half and half.
const std::vector<std::vector<std::uint16_t>>& cubes() {
  static const std::vector<std::vector<std::uint16_t>> all = {
      test::camera_cube(test::Scene::tissue, kEdge), test::camera_cube(test::Scene::background, kEdge)};
  return all;
}

void write_chunks(VolumeWriter& writer, const VolumeSpec& spec) {
  const Index3 grid = ceil_div(spec.shape, spec.chunk);
  for (std::int64_t i = 0; i < count(grid); ++i) {
    // Along x first, as a sweep does: a shard is complete long after its first chunk came.
    const Index3 index{i / grid.y / grid.z, i % grid.y, i / grid.y % grid.z};
    writer.write({0, index, 0}, dense_view(cubes()[static_cast<std::size_t>(i % 2)].data(), spec.chunk));
  }
}

template <class Writer>
void write(benchmark::State& state, const std::map<std::string, std::string>& given) {
  const char* folder = std::getenv("SPIM_BENCH_FOLDER");
  const fs::path path = fs::path(folder != nullptr ? folder : "/tmp") / "spimstitch_writer_bench";
  VolumeSpec spec;
  spec.shape = {1024, 512, 512};
  spec.chunk = {kEdge, kEdge, kEdge};
  spec.voxel_um = {1, 1, 1};
  const test::TableOptions options(Writer::kOptions, given);
  std::int64_t files = 0, stored = 0;
  for (auto _ : state) {
    test::QuietHost host;
    Writer writer(host, options.options(), path.string());
    writer.begin(spec);
    write_chunks(writer, spec);
    writer.finish();
    state.PauseTiming();
    files = stored = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) {
        files += 1;
        stored += static_cast<std::int64_t>(entry.file_size());
      }
    fs::remove_all(path);
    state.ResumeTiming();
  }
  const std::int64_t bytes = count(spec.shape) * bytes_of(spec.type);
  state.SetBytesProcessed(state.iterations() * bytes);
  state.counters["files"] = static_cast<double>(files);
  state.counters["ratio"] = static_cast<double>(bytes) / static_cast<double>(stored);
}

void register_all() {
  using Given = std::map<std::string, std::string>;
  const auto add = [](const std::string& name, void (*run)(benchmark::State&, const Given&),
                      const Given& given) {
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { run(state, given); })
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime();
  };
  const Given shard{{"zarr-format", "3"}, {"shard", "512,512,512"}};
  const auto with = [](Given given, const std::string& name, const std::string& value) {
    given[name] = value;
    return given;
  };
  for (const char* codec : {"zstd", "lz4"}) {
    const std::string prefix = fmt::format("zarr/{}/", codec);
    add(prefix + "v2", write<zarr::ZarrWriter>, {{"codec", codec}});
    add(prefix + "v3", write<zarr::ZarrWriter>, {{"codec", codec}, {"zarr-format", "3"}});
    add(prefix + "v3_sharded", write<zarr::ZarrWriter>, with(shard, "codec", codec));
    add(prefix + "v3_sharded_no_memory", write<zarr::ZarrWriter>,
        with(with(shard, "codec", codec), "shard-memory", "0"));
  }
  for (const char* compression : {"gzip", "none"}) {
    const Given plain{{"compression", compression}};
    add(fmt::format("precomputed/{}/files", compression), write<precomputed::PrecomputedWriter>, plain);
    add(fmt::format("precomputed/{}/sharded", compression), write<precomputed::PrecomputedWriter>,
        with(plain, "shard", "512,512,512"));
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
