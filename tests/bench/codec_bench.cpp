// link: spim_blockfs
// Size and speed of the Blosc codecs on chunks like those of a light-sheet microscope, and on 200 chunks of
// the blockfs volume that SPIM_BENCH_VOLUME names, if it does. One thread; bytes per second count
// uncompressed voxels. docs/performance.md, section Codec, holds the figures.
#include <benchmark/benchmark.h>
#include <blosc.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/blosc_codec.hpp"
#include "plugins/writers/blockfs/blockfs_reader.hpp"
#include "tests/bench/camera_cube.hpp"
#include "tests/bench/quiet_host.hpp"

namespace {

using spim::chunked::BloscSettings;
using spim::chunked::Scratch;

using spim::test::camera_cube;
using spim::test::Scene;

using Chunks = std::vector<std::vector<std::uint16_t>>;

/// Whole chunks of level 0 that hold data, drawn at random.
Chunks chunks_of_volume(const char* path) {
  spim::test::QuietHost host;
  spim::blockfs::BlockfsReader reader(host, {}, path);
  const spim::LevelInfo level = reader.level(0);
  const spim::Index3 whole{level.shape.x / level.chunk.x, level.shape.y / level.chunk.y,
                           level.shape.z / level.chunk.z};
  Chunks chunks;
  std::mt19937_64 random(5);
  for (int tries = 0; chunks.size() < 200 && tries < 5000; ++tries) {
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
    };
    const spim::Index3 begin{below(whole.x) * level.chunk.x, below(whole.y) * level.chunk.y,
                             below(whole.z) * level.chunk.z};
    std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(level.chunk)));
    reader.read(0, {begin, begin + level.chunk}, spim::dense_view(voxels.data(), level.chunk));
    if (std::any_of(voxels.begin(), voxels.end(), [](std::uint16_t v) { return v != 0; }))
      chunks.push_back(std::move(voxels));
  }
  return chunks;
}

/// One way to make a Blosc frame.
struct Candidate {
  BloscSettings settings;
  enum class Encoder { ours, blosc } encoder = Encoder::blosc;
  std::size_t block = 0;  ///< of Blosc's encoder; 0: its own choice

  std::span<const std::byte> encode(std::span<const std::byte> bytes, Scratch& scratch) const {
    if (encoder == Encoder::ours) return spim::chunked::blosc_encode(settings, 2, bytes, scratch);
    std::byte* to = scratch.bytes(bytes.size() + BLOSC_MAX_OVERHEAD);
    const int size = blosc_compress_ctx(settings.level, settings.shuffle, 2, bytes.size(), bytes.data(), to,
                                        bytes.size() + BLOSC_MAX_OVERHEAD, settings.codec.c_str(), block, 1);
    return {to, static_cast<std::size_t>(std::max(size, 0))};
  }

  std::string name() const {
    return fmt::format("{}_{}_{}{}{}", settings.codec, settings.level, settings.shuffle == 2 ? "bit" : "byte",
                       block != 0 ? "_large_blocks" : "", encoder == Encoder::ours ? "_planes" : "");
  }
};

void compress(benchmark::State& state, const Candidate& candidate, const Chunks& chunks) {
  Scratch scratch;
  std::size_t bytes = 0, size = 0;
  for (auto _ : state) {
    bytes = size = 0;
    for (const auto& chunk : chunks) {
      bytes += chunk.size() * 2;
      size += candidate.encode(std::as_bytes(std::span(chunk)), scratch).size();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  state.counters["ratio"] = static_cast<double>(bytes) / static_cast<double>(size);
}

void decompress(benchmark::State& state, const Candidate& candidate, const Chunks& chunks) {
  Scratch encoded, decoded;
  std::vector<std::vector<std::byte>> frames;
  std::size_t bytes = 0;
  for (const auto& chunk : chunks) {
    const auto frame = candidate.encode(std::as_bytes(std::span(chunk)), encoded);
    frames.emplace_back(frame.begin(), frame.end());
    bytes += chunk.size() * 2;
  }
  for (auto _ : state)
    for (std::size_t i = 0; i < chunks.size(); ++i)
      benchmark::DoNotOptimize(spim::chunked::blosc_decode(frames[i], chunks[i].size() * 2, decoded));
  if (std::memcmp(decoded.bytes(1), chunks.back().data(), chunks.back().size() * 2) != 0)
    state.SkipWithError("other voxels came back");
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void register_all() {
  constexpr std::size_t kLarge = std::size_t{1} << 19;
  using enum Candidate::Encoder;
  std::vector<Candidate> candidates = {
      {{"zstd", 5, 1}, blosc, 0},      {{"zstd", 3, 1}, blosc, 0},      {{"zstd", 2, 1}, blosc, 0},
      {{"zstd", 1, 1}, blosc, 0},      {{"zstd", 1, 1}, blosc, kLarge}, {{"zstd", 5, 1}, blosc, kLarge},
      {{"zstd", 1, 2}, blosc, kLarge}, {{"lz4", 1, 1}, blosc, 0},       {{"lz4", 1, 2}, blosc, 0},
      {{"lz4hc", 5, 2}, blosc, 0},     {{"blosclz", 5, 2}, blosc, 0},   {{"zlib", 1, 1}, blosc, 0}};
  for (int level = 1; level <= 9; ++level) candidates.push_back({{"zstd", level, 1}, ours});
  static std::map<std::string, Chunks> scenes;
  for (const std::int64_t edge : {64, 128}) {
    scenes[fmt::format("tissue/{}", edge)] = {camera_cube(Scene::tissue, edge)};
    scenes[fmt::format("background/{}", edge)] = {camera_cube(Scene::background, edge)};
  }
  if (const char* volume = std::getenv("SPIM_BENCH_VOLUME")) scenes["volume"] = chunks_of_volume(volume);
  for (const auto& [scene, chunks] : scenes)
    for (const Candidate& candidate : candidates) {
      const std::string name = scene + "/" + candidate.name();
      benchmark::RegisterBenchmark(("compress/" + name).c_str(), compress, candidate, std::cref(chunks));
      benchmark::RegisterBenchmark(("decompress/" + name).c_str(), decompress, candidate, std::cref(chunks));
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
