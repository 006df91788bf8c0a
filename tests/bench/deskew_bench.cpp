// The deskew alone: frames in memory → 64³ chunks, against memcpy of the same frames with the same threads in
// the same run. Figures and commands: docs/performance.md.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "spim/host/oblique_volume.hpp"

namespace {

using spim::Box;
using spim::Index3;

constexpr std::int64_t kFrames = 200;
constexpr std::int64_t kChunk = 64;
constexpr std::int64_t kChunkVoxels = kChunk * kChunk * kChunk;

/// Frames that cost nothing to load. Samples vary, because the arithmetic must not be spared.
class Pattern final : public spim::FrameSource {
 public:
  explicit Pattern(std::int64_t side) : side_(side) {}
  spim::StackShape shape() const override { return {kFrames, side_, side_}; }
  spim::PixelType type() const override { return spim::PixelType::u16; }
  void load(std::int64_t frame, spim::FrameCorner, spim::BlockedView out) override {
    for (std::int64_t z = 0; z < out.z_count; ++z)
      for (std::int64_t y = 0; y < out.y_count; ++y)
        out.at(z, y) = static_cast<std::uint16_t>(frame * 331 + z * 7 + y * 13);
  }

 private:
  std::int64_t side_;
};

/// Chunks that hold data, in the order of a sweep: along x − r·z, then z and y.
std::vector<Box> chunks_with_data(const spim::VolumeSource& volume) {
  const spim::ValidRegion region = volume.region();
  const Index3 grid = ceil_div(region.shape, {kChunk, kChunk, kChunk});
  std::vector<Box> boxes;
  for (std::int64_t z = 0; z < grid.z; ++z)
    for (std::int64_t y = 0; y < grid.y; ++y)
      for (std::int64_t x = 0; x < grid.x; ++x) {
        const Index3 begin{x * kChunk, y * kChunk, z * kChunk};
        const Box box{begin, min(begin + Index3{kChunk, kChunk, kChunk}, region.shape)};
        if (!region.frames_for(box).empty()) boxes.push_back(box);
      }
  const auto front = [&](const Box& b) {
    return std::floor((static_cast<double>(b.begin.x) - region.shear * static_cast<double>(b.begin.z)) /
                      kChunk);
  };
  std::stable_sort(boxes.begin(), boxes.end(),
                   [&](const Box& a, const Box& b) { return front(a) < front(b); });
  return boxes;
}

bool all_valid(const spim::ValidRegion& region, const Box& box) {
  return count(box.size()) == kChunkVoxels && region.covers(box.begin.x, box.begin.y, box.end.z - 1) &&
         region.covers(box.end.x - 1, box.begin.y, box.begin.z);
}

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Runs a loop on all workers and returns the CPU seconds per worker: on an idle machine the wall time, and
/// on a busy one what it would have been, nearly.
template <class Body>
double seconds_of(const spim::Executor& executor, std::int64_t items, const Body& body) {
  struct alignas(64) Clock {
    double seconds = 0;
  };
  std::vector<Clock> clocks(static_cast<std::size_t>(executor.workers()));
  executor.parallel_for(items, [&](std::int64_t i, int worker) {
    const double start = thread_seconds();
    body(i, worker);
    clocks[static_cast<std::size_t>(worker)].seconds += thread_seconds() - start;
  });
  double sum = 0;
  for (const Clock& clock : clocks) sum += clock.seconds;
  return sum / executor.workers();
}

/// Memory that is there: every page was written.
std::unique_ptr<std::uint16_t[]> touched(std::int64_t samples) {
  auto memory = std::make_unique_for_overwrite<std::uint16_t[]>(static_cast<std::size_t>(samples));
  std::memset(memory.get(), 1, static_cast<std::size_t>(samples) * 2);
  return memory;
}

/// What becomes of the chunks: each thread computes into one buffer, as a sweep does before it compresses;
/// each chunk keeps memory of its own; or as the first, but only chunks without any zeros are computed.
enum class Output { reused, kept, full };

/// Arguments: side of a frame, shear in thousandths, threads, Output.
void deskew(benchmark::State& state) {
  const std::int64_t side = state.range(0);
  const auto threads = static_cast<int>(state.range(2));
  const bool kept = static_cast<Output>(state.range(3)) == Output::kept;
  const spim::CancelToken cancel;
  const spim::Executor executor(threads, cancel);
  const double shear = static_cast<double>(state.range(1)) / 1000;
  const auto volume = oblique_volume(std::make_unique<Pattern>(side), {shear * std::sqrt(2.0), 1, 45, 1});
  const Box whole{{}, volume->shape()};
  volume->prepare({&whole, 1}, executor);
  std::vector<Box> boxes = chunks_with_data(*volume);
  if (static_cast<Output>(state.range(3)) == Output::full)
    std::erase_if(boxes, [&](const Box& box) { return !all_valid(volume->region(), box); });

  const std::int64_t samples = kFrames * side * side;
  const auto from = touched(samples), to = touched(samples);
  const auto chunks =
      touched(kChunkVoxels * (kept ? static_cast<std::int64_t>(boxes.size()) : executor.workers()));

  constexpr std::int64_t kPiece = 512 * 1024;  // samples that one memcpy copies
  double memcpy_best = 1e9, deskew_best = 1e9;
  for (auto _ : state) {
    memcpy_best = std::min(memcpy_best, seconds_of(executor, samples / kPiece, [&](std::int64_t i, int) {
                             std::memcpy(to.get() + i * kPiece, from.get() + i * kPiece, kPiece * 2);
                           }));
    const double seconds =
        seconds_of(executor, static_cast<std::int64_t>(boxes.size()), [&](std::int64_t i, int worker) {
          const Box& box = boxes[static_cast<std::size_t>(i)];
          volume->read(box, spim::dense_view(chunks.get() + (kept ? i : worker) * kChunkVoxels, box.size()));
        });
    state.SetIterationTime(seconds);
    deskew_best = std::min(deskew_best, seconds);
  }
  std::int64_t chunk_voxels = 0;
  for (const Box& box : boxes) chunk_voxels += count(box.size());
  const double copied = 2e-9 * static_cast<double>(samples) / memcpy_best;
  const double output = 2e-9 * static_cast<double>(chunk_voxels) / deskew_best;
  state.counters["memcpy_GBps"] = copied;
  state.counters["output_GBps"] = output;
  state.counters["output/memcpy"] = output / copied;
}

BENCHMARK(deskew)
    ->ArgNames({"side", "shear", "threads", "output"})
    ->ArgsProduct({{1024, 2048}, {1000, 1006}, {1, 2}, {0, 1, 2}})
    ->UseManualTime()
    ->Iterations(7)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
