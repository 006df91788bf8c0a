// link: spim_chunked
// Size and speed of the Blosc codecs on chunks like those of a light-sheet microscope. One thread; bytes per
// second count uncompressed voxels. docs/performance.md, section Codec, holds the figures.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include "common/blosc_codec.hpp"

namespace {

using spim::chunked::BloscSettings;
using spim::chunked::Scratch;

enum class Scene { tissue, background };

/// A cube of camera counts: offset 100 with read noise of 1.6 electrons and shot noise at 0.46 electrons a
/// count, the constants of a scientific CMOS camera. Tissue: structure of 20 to 2000 counts with blurred
/// cells; background: nearly nothing, one dim cell.
std::vector<std::uint16_t> camera_cube(Scene scene, std::int64_t edge) {
  constexpr double kOffset = 100, kReadNoise = 1.6, kElectronsPerCount = 0.46;
  struct Cell {
    double x, y, z, radius, counts;
  };
  std::mt19937_64 random(42);
  std::uniform_real_distribution<double> place(0, static_cast<double>(edge)), unit(0, 1);
  std::normal_distribution<double> normal;
  std::vector<Cell> cells;
  const auto cells_wanted = scene == Scene::tissue ? edge * edge * edge / 13000 : 1;
  for (std::int64_t i = 0; i < cells_wanted; ++i)
    cells.push_back({place(random), place(random), place(random), 2 + 6 * unit(random),
                     scene == Scene::tissue ? std::exp(3 + 4.6 * unit(random)) : 50});
  std::vector<double> counts(static_cast<std::size_t>(edge * edge * edge));
  std::size_t i = 0;
  for (std::int64_t z = 0; z < edge; ++z)
    for (std::int64_t y = 0; y < edge; ++y)
      for (std::int64_t x = 0; x < edge; ++x, ++i)
        counts[i] = scene == Scene::tissue ? 60 + 40 * std::sin(0.05 * static_cast<double>(x)) *
                                                      std::cos(0.04 * static_cast<double>(y + z))
                                           : 3;
  for (const Cell& cell : cells) {
    const auto reach = static_cast<std::int64_t>(3 * cell.radius);
    const auto from = [&](double c) {
      return std::max<std::int64_t>(0, static_cast<std::int64_t>(c) - reach);
    };
    const auto to = [&](double c) { return std::min(edge, static_cast<std::int64_t>(c) + reach + 1); };
    for (std::int64_t z = from(cell.z); z < to(cell.z); ++z)
      for (std::int64_t y = from(cell.y); y < to(cell.y); ++y)
        for (std::int64_t x = from(cell.x); x < to(cell.x); ++x) {
          const double r2 = std::pow(static_cast<double>(x) - cell.x, 2) +
                            std::pow(static_cast<double>(y) - cell.y, 2) +
                            std::pow(static_cast<double>(z) - cell.z, 2);
          counts[static_cast<std::size_t>((z * edge + y) * edge + x)] +=
              cell.counts * std::exp(-r2 / (cell.radius * cell.radius));
        }
  }
  std::vector<std::uint16_t> voxels(counts.size());
  for (i = 0; i < counts.size(); ++i) {
    const double electrons = counts[i] * kElectronsPerCount;
    const double noisy = electrons + std::sqrt(electrons + kReadNoise * kReadNoise) * normal(random);
    voxels[i] = static_cast<std::uint16_t>(std::clamp(kOffset + noisy / kElectronsPerCount, 0.0, 65535.0));
  }
  return voxels;
}

const std::vector<std::uint16_t>& cached_cube(Scene scene, std::int64_t edge) {
  static std::map<std::pair<Scene, std::int64_t>, std::vector<std::uint16_t>> cubes;
  auto& cube = cubes[{scene, edge}];
  if (cube.empty()) cube = camera_cube(scene, edge);
  return cube;
}

void compress(benchmark::State& state, const BloscSettings& settings, Scene scene, std::int64_t edge) {
  const auto bytes = std::as_bytes(std::span(cached_cube(scene, edge)));
  Scratch scratch;
  std::size_t size = 0;
  for (auto _ : state) size = spim::chunked::blosc_encode(settings, 2, bytes, scratch).size();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
  state.counters["ratio"] = static_cast<double>(bytes.size()) / static_cast<double>(size);
}

void decompress(benchmark::State& state, const BloscSettings& settings, Scene scene, std::int64_t edge) {
  const auto bytes = std::as_bytes(std::span(cached_cube(scene, edge)));
  Scratch encoded, decoded;
  const auto frame = spim::chunked::blosc_encode(settings, 2, bytes, encoded);
  for (auto _ : state) benchmark::DoNotOptimize(spim::chunked::blosc_decode(frame, bytes.size(), decoded));
  if (std::memcmp(decoded.bytes(bytes.size()), bytes.data(), bytes.size()) != 0)
    state.SkipWithError("other voxels came back");
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void register_all() {
  using spim::chunked::kLargeBlock;
  const BloscSettings candidates[] = {
      {"zstd", 5, 1, 0},           {"zstd", 5, 2, 0},    {"zstd", 3, 1, 0},    {"zstd", 2, 1, 0},
      {"zstd", 2, 1, kLargeBlock}, {"zstd", 1, 1, 0},    {"zstd", 1, 2, 0},    {"zstd", 1, 1, kLargeBlock},
      {"zstd", 1, 2, kLargeBlock}, {"lz4", 1, 1, 0},     {"lz4", 1, 2, 0},     {"lz4", 9, 2, 0},
      {"lz4hc", 5, 2, 0},          {"blosclz", 5, 1, 0}, {"blosclz", 5, 2, 0}, {"zlib", 1, 1, 0}};
  for (const auto& [scene, scene_name] :
       {std::pair{Scene::tissue, "tissue"}, {Scene::background, "background"}})
    for (const std::int64_t edge : {64, 128})
      for (const BloscSettings& settings : candidates) {
        const std::string name =
            fmt::format("{}/{}/{}_{}_{}{}", scene_name, edge, settings.codec, settings.level,
                        settings.shuffle == 2 ? "bit" : "byte", settings.block != 0 ? "_large_blocks" : "");
        benchmark::RegisterBenchmark(("compress/" + name).c_str(), compress, settings, scene, edge);
        benchmark::RegisterBenchmark(("decompress/" + name).c_str(), decompress, settings, scene, edge);
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
