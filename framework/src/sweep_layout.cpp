#include "sweep_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "spim/error.hpp"
#include "spim/host/pyramid.hpp"

namespace spim::detail {

namespace {

/// Scratch of a reading and writing worker beside whole chunks.
constexpr std::int64_t kWorkerBytes = std::int64_t{1} << 20;
/// Whole chunks of a worker: the voxels, and two for the writer (edge padding, compressed bytes).
constexpr std::int64_t kWorkerChunks = 3;
/// Lanes × steps that are looked at for one choice of lanes; where there are more, every n-th.
constexpr std::int64_t kMostSamples = 4096;
/// Lanes that are looked at to find out how often frames are loaded.
constexpr std::int64_t kMostLanes = 512;

/// A volume of a petabyte in chunks of 64³ has two million; what is far above comes from damaged metadata,
/// and the plan of its sweep would fill the memory.
constexpr std::int64_t kMostColumns = std::int64_t{1} << 24;

/// Chunks of a lane along y and z.
struct LaneSize {
  std::int64_t y = 0;
  std::int64_t z = 0;
};

Index3 grid_of(const VolumeSpec& spec) noexcept {
  return ceil_div(spec.shape, spec.chunk);
}

void refuse_endless(const VolumeSpec& spec) {
  const Index3 grid = grid_of(spec);
  if (grid.x <= kMostColumns / grid.z && grid.y <= kMostColumns) return;
  throw Error(fmt::format(
      "a volume of {} x {} x {} voxels has {} x {} x {} chunks, too many to plan for; give a larger "
      "--chunk-size or a part of it with --output-size, or check that the input is not damaged",
      spec.shape.x, spec.shape.y, spec.shape.z, grid.x, grid.y, grid.z));
}

/// Where lanes may be cut: at multiples of `unit` from `first`, in chunks. A unit of 1 is anywhere.
struct Cuts {
  LaneSize unit{1, 1};
  LaneSize first{0, 0};
  bool cells = false;  ///< between cells of the source, not to be cut further
};

/// Between the cells of a source that has them, as far as chunks allow.
Cuts cuts_of(const VolumeSource& source, const VolumeSpec& spec) {
  const Grain grain = source.grain();
  if (grain.size.y < 1 || grain.size.z < 1) return {};
  const auto in_chunks = [](std::int64_t voxels, std::int64_t chunk) {
    return std::max<std::int64_t>(1, ceil_div(voxels, chunk));
  };
  Cuts cuts{{in_chunks(grain.size.y, spec.chunk.y), in_chunks(grain.size.z, spec.chunk.z)}, {}, true};
  cuts.first = {ceil_div(grain.first.y, spec.chunk.y) % cuts.unit.y,
                ceil_div(grain.first.z, spec.chunk.z) % cuts.unit.z};
  return cuts;
}

/// The next smaller size: a power of two of units, so that parents of low levels keep inside a lane.
std::int64_t smaller(std::int64_t size, std::int64_t unit) {
  const std::int64_t units = ceil_div(size, unit);
  return unit * static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(units - 1)));
}

/// z whole, or only as much as keeps the workers busy when chunks are planes: a lane that is done completes
/// them.
std::int64_t first_depth(const VolumeSpec& spec, const Cuts& cuts, int workers) {
  const Index3 grid = grid_of(spec);
  if (!cuts.cells || spec.chunk.z > 1) return grid.z;
  constexpr std::int64_t kChunksPerWorker = 8;
  const std::int64_t planes = ceil_div(kChunksPerWorker * workers, grid.x * grid.y);
  return std::min(grid.z, ceil_div(planes, cuts.unit.z) * cuts.unit.z);
}

/// y whole and z as deep as wanted; then z halved down to one unit; then y.
std::vector<LaneSize> z_before_y(Index3 grid, const Cuts& cuts, std::int64_t depth) {
  std::vector<LaneSize> sizes{{grid.y, depth}};
  while (sizes.back().z > cuts.unit.z) sizes.push_back({grid.y, smaller(sizes.back().z, cuts.unit.z)});
  while (sizes.back().y > cuts.unit.y)
    sizes.push_back({smaller(sizes.back().y, cuts.unit.y), sizes.back().z});
  return sizes;
}

/// Ranges of at most `size` in [0, extent), cut at first + k·size.
std::vector<IndexRange> ranges(std::int64_t extent, std::int64_t size, std::int64_t first) {
  std::vector<IndexRange> result;
  if (size >= extent) return {{0, extent}};
  for (std::int64_t begin = 0, end = first > 0 ? first : size; begin < extent; begin = end, end += size)
    result.push_back({begin, std::min(end, extent)});
  return result;
}

std::vector<Lane> cut(Index3 grid, const LaneSize& size, const Cuts& cuts) {
  const auto ys = ranges(grid.y, size.y, cuts.first.y), zs = ranges(grid.z, size.z, cuts.first.z);
  std::vector<Lane> lanes;
  // A slab of planes is finished before the next one begins; frames of a stack are left one after the other.
  if (cuts.cells)
    for (const IndexRange z : zs)
      for (const IndexRange y : ys) lanes.push_back({y.begin, y.end, z.begin, z.end});
  else
    for (const IndexRange y : ys)
      for (const IndexRange z : zs) lanes.push_back({y.begin, y.end, z.begin, z.end});
  return lanes;
}

/// How often a frame that is loaded as a whole is loaded in all lanes, on average.
double corrections_of(const VolumeSource& source, const VolumeSpec& spec, const std::vector<Lane>& lanes) {
  const std::int64_t once = source.whole_frames_in({{}, spec.shape});
  if (once == 0) return 1;
  const std::int64_t n = static_cast<std::int64_t>(lanes.size()), stride = ceil_div(n, kMostLanes);
  std::int64_t frames = 0, looked_at = 0;
  for (std::int64_t i = 0; i < n; i += stride, ++looked_at)
    frames += source.whole_frames_in(lane_box(spec, lanes[static_cast<std::size_t>(i)]));
  return static_cast<double>(frames) / static_cast<double>(once) * static_cast<double>(n) /
         static_cast<double>(looked_at);
}

/// Whether lanes of this size cut what the writer finishes together: it is done behind the last of them.
bool cuts_units(const VolumeSpec& spec, const LaneSize& size, Index3 unit) {
  const Index3 grid = grid_of(spec);
  return (unit.y > 0 && size.y < grid.y && size.y * spec.chunk.y % unit.y != 0) ||
         (unit.z > 0 && size.z < grid.z && size.z * spec.chunk.z % unit.z != 0);
}

/// All powers of two along both axes, those first that load the fewest frames; of equals the larger. Those
/// that cut units come last: an interruption would cost too much.
std::vector<LaneSize> fewest_loads(const VolumeSource& source, const VolumeSpec& spec, const Cuts& cuts,
                                   std::int64_t depth, Index3 unit) {
  struct Choice {
    LaneSize size;
    std::pair<bool, double> cost;  ///< whether it cuts units; corrections
  };
  const Index3 grid = grid_of(spec);
  std::vector<Choice> choices;
  for (std::int64_t y = grid.y;; y = smaller(y, cuts.unit.y)) {
    for (std::int64_t z = depth;; z = smaller(z, cuts.unit.z)) {
      choices.push_back(
          {{y, z}, {cuts_units(spec, {y, z}, unit), corrections_of(source, spec, cut(grid, {y, z}, cuts))}});
      if (z <= cuts.unit.z) break;
    }
    if (y <= cuts.unit.y) break;
  }
  std::ranges::stable_sort(choices, {}, &Choice::cost);
  std::vector<LaneSize> sizes;
  for (const Choice& choice : choices) sizes.push_back(choice.size);
  return sizes;
}

/// Sizes of lanes to try, the best first.
std::vector<LaneSize> candidates(const VolumeSource& source, const VolumeSpec& spec, const Cuts& cuts,
                                 std::int64_t depth, Index3 unit) {
  if (source.whole_frames_in({{}, spec.shape}) > 0) return fewest_loads(source, spec, cuts, depth, unit);
  return z_before_y(grid_of(spec), cuts, depth);
}

/// What a source keeps at most.
struct MostPrepared {
  std::int64_t alone = 0;  ///< for one step at a time
  std::int64_t ahead = 0;  ///< for one and the next
};

MostPrepared most_prepared(const VolumeSource& source, const VolumeSpec& spec, const SweepLayout& layout) {
  const std::int64_t lanes = static_cast<std::int64_t>(layout.lanes.size());
  const std::int64_t lane_stride = ceil_div(lanes, kMostSamples);
  MostPrepared most;
  for (std::int64_t i = 0; i < lanes; i += lane_stride) {
    const Lane& lane = layout.lanes[static_cast<std::size_t>(i)];
    const Wavefront front(spec, source.region(), lane);
    const std::int64_t steps = static_cast<std::int64_t>(front.steps().size());
    const std::int64_t step_stride = ceil_div(steps * ceil_div(lanes, lane_stride), kMostSamples);
    const Box whole = lane_box(spec, lane);
    const auto boxes_of = [&](std::int64_t s) {
      return s < steps ? step_boxes(source, spec, lane, front.steps()[static_cast<std::size_t>(s)])
                       : std::vector<Box>{};
    };
    for (std::int64_t s = 0; s < steps; s += step_stride) {
      const std::vector<Box> now = boxes_of(s);
      most.alone = std::max(most.alone, source.memory_for(whole, now));
      most.ahead = std::max(most.ahead, source.memory_for(whole, joined(now, boxes_of(s + 1))));
    }
  }
  return most;
}

/// First and last moment (number of the step, counted through all lanes) at which a chunk of a level is in
/// the making.
struct Life {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = -1;
};

/// A grid of chunks of one level. Chunks along y live alike unless lanes cut y.
struct LifeGrid {
  Index3 size;
  std::vector<Life> lives;
  Life& at(std::int64_t x, std::int64_t y, std::int64_t z) {
    return lives[static_cast<std::size_t>((z * size.y + y) * size.x + x)];
  }
};

/// When the parents of level 1 are in the making.
LifeGrid first_parents(const VolumeSource& source, const VolumeSpec& spec, const SweepLayout& layout,
                       std::int64_t y_count, std::int64_t& moments) {
  const Index3 grid = grid_of(spec);
  LifeGrid level{{ceil_div(grid.x, 2), ceil_div(y_count, 2), ceil_div(grid.z, 2)}, {}};
  level.lives.resize(static_cast<std::size_t>(count(level.size)));
  moments = 0;
  for (const Lane& lane : layout.lanes) {
    const Wavefront front(spec, source.region(), lane);
    for (const std::vector<Column>& step : front.steps()) {
      for (const Column& column : step)
        for (std::int64_t y = lane.y_begin / 2; 2 * y < std::min(lane.y_end, y_count); ++y) {
          Life& life = level.at(column.x / 2, y, column.z / 2);
          life.first = std::min(life.first, moments);
          life.last = std::max(life.last, moments);
        }
      ++moments;
    }
  }
  return level;
}

/// Parents of parents: they begin when the first child is complete.
LifeGrid parents_of(LifeGrid& fine) {
  LifeGrid coarse{ceil_div(fine.size, {2, 2, 2}), {}};
  coarse.lives.resize(static_cast<std::size_t>(count(coarse.size)));
  for (std::int64_t z = 0; z < fine.size.z; ++z)
    for (std::int64_t y = 0; y < fine.size.y; ++y)
      for (std::int64_t x = 0; x < fine.size.x; ++x) {
        const Life& child = fine.at(x, y, z);
        Life& life = coarse.at(x / 2, y / 2, z / 2);
        life.first = std::min(life.first, child.last);
        life.last = std::max(life.last, child.last);
      }
  return coarse;
}

/// The most bytes of incomplete chunks of the levels above 0, from a rehearsal of the whole sweep.
std::int64_t most_parents(const VolumeSource& source, const VolumeSpec& spec, const SweepLayout& layout,
                          const LaneSize& size) {
  if (spec.levels < 2) return 0;
  // With y in one piece all rows of chunks live alike: one stands for all.
  const Index3 grid = grid_of(spec);
  const bool alike = size.y >= grid.y;
  std::int64_t moments = 0;
  LifeGrid level = first_parents(source, spec, layout, alike ? 1 : grid.y, moments);
  std::vector<std::int64_t> change(static_cast<std::size_t>(moments) + 1);
  std::int64_t rows = grid.y;
  for (std::int32_t l = 1; l < spec.levels; ++l) {
    rows = ceil_div(rows, 2);
    const std::int64_t bytes = parent_bytes(spec, l) * (alike ? rows : 1);
    for (const Life& life : level.lives) {
      change[static_cast<std::size_t>(life.first)] += bytes;
      change[static_cast<std::size_t>(life.last) + 1] -= bytes;
    }
    level = parents_of(level);
  }
  std::int64_t now = 0, most = 0;
  for (const std::int64_t c : change) most = std::max(most, now += c);
  return most;
}

std::string bytes_text(std::int64_t bytes) {
  const double mib = static_cast<double>(bytes) / (1 << 20);
  return mib < 1024 ? fmt::format("{:.1f} MiB", mib) : fmt::format("{:.2f} GiB", mib / 1024);
}

}  // namespace

SweepLayout layout_sweep(const VolumeSource& source, const VolumeSpec& spec, const Executor& executor,
                         const SweepSettings& settings) {
  refuse_endless(spec);
  const std::int64_t chunk_bytes =
      count(min(spec.chunk, spec.shape)) * static_cast<std::int64_t>(sizeof(std::uint16_t));
  const std::int64_t workers =
      executor.workers() * (kWorkerChunks * chunk_bytes + kWorkerBytes + source.cost().scratch_bytes);
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  const Cuts cuts = cuts_of(source, spec);
  const std::int64_t depth = first_depth(spec, cuts, executor.workers());
  std::vector<LaneSize> too_large;  // without any parents: larger lanes keep more frames
  for (const LaneSize& size : candidates(source, spec, cuts, depth, settings.unit)) {
    executor.cancel().check();
    if (std::ranges::any_of(too_large, [&](const LaneSize& s) { return s.y <= size.y && s.z <= size.z; }))
      continue;
    SweepLayout layout{cut(grid_of(spec), size, cuts), workers + settings.writer_bytes};
    const MostPrepared prepared = most_prepared(source, spec, layout);
    if (layout.memory_bytes + prepared.alone > settings.memory_bytes) too_large.push_back(size);
    const std::int64_t others = layout.memory_bytes + most_parents(source, spec, layout, size);
    // A single worker does one thing after the other in any case.
    layout.reads_ahead = executor.workers() > 1 && others + prepared.ahead <= settings.memory_bytes;
    layout.memory_bytes = others + (layout.reads_ahead ? prepared.ahead : prepared.alone);
    if (layout.memory_bytes <= settings.memory_bytes) {
      layout.corrections = corrections_of(source, spec, layout.lanes);
      return layout;
    }
    least = std::min(least, layout.memory_bytes);
  }
  throw Error(fmt::format(
      "a volume of {} x {} x {} voxels needs at least {} of memory but may have {}; give more "
      "--memory, fewer --levels or a smaller --chunk-size",
      spec.shape.x, spec.shape.y, spec.shape.z, bytes_text(least), bytes_text(settings.memory_bytes)));
}

}  // namespace spim::detail
