#include "spim/host/task_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "spim/error.hpp"
#include "wavefront.hpp"

namespace spim {

namespace {

/// Tasks of a sweep unless the user wants another number: a crash then loses about a hundredth of the work.
constexpr std::int64_t kUsualTasks = 96;
/// A task is not cut thinner than this many steps, or most of level 1 would be left over.
constexpr std::int64_t kLeastSteps = 3;
/// Chunks of an upper level that one task makes.
constexpr std::int64_t kLevelTaskChunks = 16384;

Index3 divide(Index3 a, Index3 b) noexcept {
  return {a.x / b.x, a.y / b.y, a.z / b.z};
}

/// The wavefront of units instead of chunks.
VolumeSpec in_units(const VolumeSpec& spec, Index3 unit) {
  VolumeSpec units = spec;
  units.chunk = unit;
  return units;
}

/// The bands of a grid of units.
std::vector<detail::Lane> cut_bands(Index3 grid, std::int64_t band_y, std::int64_t band_z) {
  std::vector<detail::Lane> lanes;
  for (std::int64_t z = 0; z < grid.z; z += band_z)
    for (std::int64_t y = 0; y < grid.y; y += band_y)
      lanes.push_back({y, std::min(y + band_y, grid.y), z, std::min(z + band_z, grid.z)});
  return lanes;
}

/// Cuts after those steps at which another `1 / wanted` of all the work is done, and at the end of each band.
void cut_evenly(const std::vector<std::vector<std::int64_t>>& work, std::int64_t all, std::int64_t wanted,
                std::vector<std::vector<std::int64_t>>& cuts_of_bands) {
  double done = 0, cut_at = 0;
  const double share = static_cast<double>(all) / static_cast<double>(wanted);
  for (const std::vector<std::int64_t>& of_steps : work) {
    std::vector<std::int64_t>& cuts = cuts_of_bands.emplace_back();
    const auto steps = static_cast<std::int64_t>(of_steps.size());
    for (std::int64_t step = 0; step < steps; ++step) {
      done += static_cast<double>(of_steps[static_cast<std::size_t>(step)]);
      if (done < cut_at + share) continue;
      cuts.push_back(step + 1);
      cut_at = std::floor(done / share) * share;
    }
    // Empty steps behind the last cut need no task of their own.
    if (cuts.empty() || done > cut_at)
      cuts.push_back(steps);
    else
      cuts.back() = steps;
    cut_at = done;
  }
}

}  // namespace

std::string task_name(TaskId task) {
  return task.level == 0 ? fmt::format("sweep-{}", task.number)
                         : fmt::format("levels-{}-{}", task.level, task.number);
}

struct TaskLayout::Band {
  detail::Lane lane;
  detail::Wavefront front;
  std::vector<std::int64_t> cuts;
  std::int64_t first_task = 0;

  std::int64_t task_of_step(std::int64_t step) const {
    return first_task + (std::upper_bound(cuts.begin(), cuts.end(), step) - cuts.begin());
  }
  /// Tasks of the lowest and the highest step between two corners: steps are monotonous in x and in z.
  std::pair<std::int64_t, std::int64_t> tasks_between(Index3 begin, Index3 last) const {
    const auto [low, high] = std::minmax({front.step_of({begin.x, begin.z}), front.step_of({begin.x, last.z}),
                                          front.step_of({last.x, begin.z}), front.step_of({last.x, last.z})});
    return {task_of_step(low), task_of_step(high)};
  }
};

TaskLayout::TaskLayout(TaskShape shape) : shape_(std::move(shape)) {
  const VolumeSpec& spec = shape_.spec;
  chunks_per_unit_ = divide(shape_.unit, spec.chunk);
  const Index3 grid = unit_grid(0);
  if (shape_.band_y < 1 || shape_.band_z < 1) throw Error("the tasks of a run have no bands; plan it anew");
  bands_y_ = ceil_div(grid.y, shape_.band_y);
  const std::vector<detail::Lane> lanes = cut_bands(grid, shape_.band_y, shape_.band_z);
  if (lanes.size() != shape_.cuts.size())
    throw Error(fmt::format("the tasks of a run have {} bands where its volume has {}; plan it anew",
                            shape_.cuts.size(), lanes.size()));
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    Band band{lanes[i], detail::Wavefront(in_units(spec, shape_.unit), shape_.region, lanes[i]),
              shape_.cuts[i], sweep_tasks_};
    if (band.cuts.empty() || band.cuts.back() != band.front.step_count())
      throw Error("the tasks of a run do not fit its volume; plan it anew");
    sweep_tasks_ += static_cast<std::int64_t>(band.cuts.size());
    bands_.push_back(std::move(band));
  }
  for (std::int32_t level = 1; level < spec.levels; ++level) {
    const Index3 units = unit_grid(level);
    const std::int64_t wanted = ceil_div(count(units) * count(chunks_per_unit_), kLevelTaskChunks);
    slabs_.push_back(sweep_tasks_ == 1 ? 0 : std::min(wanted, units.x));
  }
}

TaskLayout::~TaskLayout() = default;
TaskLayout::TaskLayout(TaskLayout&&) noexcept = default;
TaskLayout& TaskLayout::operator=(TaskLayout&&) noexcept = default;

Index3 TaskLayout::unit_grid(std::int32_t level) const noexcept {
  return ceil_div(level_shape(shape_.spec.shape, level), shape_.unit);
}

std::int64_t TaskLayout::band_at(std::int64_t unit_y, std::int64_t unit_z) const noexcept {
  return unit_z / shape_.band_z * bands_y_ + unit_y / shape_.band_y;
}

std::int64_t TaskLayout::level_tasks(std::int32_t level) const {
  return slabs_.at(static_cast<std::size_t>(level - 1));
}

std::vector<TaskId> TaskLayout::tasks() const {
  std::vector<TaskId> all;
  for (std::int64_t i = 0; i < sweep_tasks_; ++i) all.push_back({0, i});
  for (std::int32_t level = 1; level < shape_.spec.levels; ++level)
    for (std::int64_t i = 0; i < level_tasks(level); ++i) all.push_back({level, i});
  return all;
}

TaskLayout::UnitBox TaskLayout::units_below(const ChunkAddress& chunk) const noexcept {
  const Index3 unit = divide(chunk.index, chunks_per_unit_);
  const std::int64_t f = std::int64_t{1} << chunk.level;
  const Index3 begin{unit.x * f, unit.y * f, unit.z * f};
  return {begin, min(begin + Index3{f, f, f}, unit_grid(0)) - Index3{1, 1, 1}};
}

TaskId TaskLayout::slab_of(std::int32_t level, std::int64_t unit_x) const {
  return {level, unit_x * level_tasks(level) / unit_grid(level).x};
}

TaskId TaskLayout::owner(const ChunkAddress& chunk) const {
  const auto [begin, last] = units_below(chunk);
  const std::int64_t band = band_at(begin.y, begin.z);
  if (band == band_at(last.y, last.z)) {
    const auto [first, final] = bands_[static_cast<std::size_t>(band)].tasks_between(begin, last);
    if (first == final) return {0, first};
  }
  return slab_of(chunk.level, chunk.index.x / chunks_per_unit_.x);
}

std::vector<std::int64_t> TaskLayout::tasks_below(const ChunkAddress& chunk) const {
  const auto [begin, last] = units_below(chunk);
  std::vector<std::int64_t> below;
  for (std::int64_t z = begin.z / shape_.band_z; z <= last.z / shape_.band_z; ++z)
    for (std::int64_t y = begin.y / shape_.band_y; y <= last.y / shape_.band_y; ++y) {
      const Band& band = bands_[static_cast<std::size_t>(z * bands_y_ + y)];
      const Index3 low = max(begin, {0, band.lane.y_begin, band.lane.z_begin});
      const Index3 high = min(last, {last.x, band.lane.y_end - 1, band.lane.z_end - 1});
      const auto [first, final] = band.tasks_between(low, high);
      for (std::int64_t task = first; task <= final; ++task) below.push_back(task);
    }
  return below;
}

std::vector<std::int64_t> TaskLayout::chunks_of_sweep_tasks() const {
  const Index3 chunks = ceil_div(shape_.spec.shape, shape_.spec.chunk);
  const auto held = [](std::int64_t begin, std::int64_t units, std::int64_t per_unit, std::int64_t all) {
    return std::min((begin + units) * per_unit, all) - begin * per_unit;
  };
  std::vector<std::int64_t> counts(static_cast<std::size_t>(sweep_tasks_));
  for (const Band& band : bands_) {
    const std::int64_t rows =
        held(band.lane.y_begin, band.lane.y_end - band.lane.y_begin, chunks_per_unit_.y, chunks.y);
    for (const auto& step : band.front.steps())
      for (const detail::Column& column : step)
        counts[static_cast<std::size_t>(band.task_of_step(band.front.step_of(column)))] +=
            rows * held(column.x, 1, chunks_per_unit_.x, chunks.x) *
            held(column.z, 1, chunks_per_unit_.z, chunks.z);
  }
  return counts;
}

std::vector<Index3> TaskLayout::chunks_of(TaskId task) const {
  const Index3 grid = ceil_div(level_shape(shape_.spec.shape, task.level), shape_.spec.chunk);
  std::vector<Index3> chunks;
  for (std::int64_t x = 0; x < grid.x; ++x) {
    if (slab_of(task.level, x / chunks_per_unit_.x) != task) continue;
    for (std::int64_t z = 0; z < grid.z; ++z)
      for (std::int64_t y = 0; y < grid.y; ++y)
        if (owner({task.level, {x, y, z}}) == task) chunks.push_back({x, y, z});
  }
  return chunks;
}

TaskShape cut_into_tasks(const VolumeSource& source, const VolumeSpec& spec, Index3 unit, std::int64_t tasks,
                         const SweepPlan& plan) {
  TaskShape shape{spec, unit, source.region(), 0, 0, {}};
  shape.spec.name = "";
  shape.spec.channels = nullptr;
  const Index3 per_unit = divide(unit, spec.chunk);
  shape.band_y = ceil_div(plan.lane_chunks.y, per_unit.y);
  shape.band_z = ceil_div(plan.lane_chunks.z, per_unit.z);
  const VolumeSpec units = in_units(spec, unit);
  const std::vector<detail::Lane> lanes = cut_bands(ceil_div(spec.shape, unit), shape.band_y, shape.band_z);
  // Work is counted in columns of units that hold data.
  std::vector<std::vector<std::int64_t>> work;
  std::int64_t all = 0, steps_at_work = 0;
  for (const detail::Lane& lane : lanes) {
    const detail::Wavefront front(units, source.region(), lane);
    std::vector<std::int64_t>& of_steps = work.emplace_back(static_cast<std::size_t>(front.step_count()));
    for (const auto& step : front.steps())
      for (const detail::Column& column : step)
        if (source.may_hold_data(detail::column_box(units, lane, column))) {
          std::int64_t& here = of_steps[static_cast<std::size_t>(front.step_of(column))];
          steps_at_work += here++ == 0;
          ++all;
        }
  }
  std::int64_t wanted = tasks > 0 ? tasks : kUsualTasks;
  if (tasks == 0) wanted = std::min(wanted, std::max<std::int64_t>(1, steps_at_work / kLeastSteps));
  cut_evenly(work, std::max<std::int64_t>(all, 1), wanted, shape.cuts);
  return shape;
}

}  // namespace spim
