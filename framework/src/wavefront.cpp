#include "wavefront.hpp"

#include <algorithm>
#include <cmath>

namespace spim::detail {

namespace {

/// Where the steps of width 1 must begin (a fraction) so that `starts` spread least inside a step: behind the
/// widest gap between their fractions.
double best_phase(const std::vector<double>& starts) {
  std::vector<double> fractions;
  for (const double s : starts) fractions.push_back(s - std::floor(s));
  std::sort(fractions.begin(), fractions.end());
  double phase = fractions.front();
  double widest = fractions.front() + 1 - fractions.back();
  for (std::size_t i = 1; i < fractions.size(); ++i) {
    const double gap = fractions[i] - fractions[i - 1];
    if (gap <= widest) continue;
    widest = gap;
    phase = fractions[i];
  }
  return phase;
}

}  // namespace

Wavefront::Wavefront(const VolumeSpec& spec, const ValidRegion& region, const Lane& lane)
    : z_begin_(lane.z_begin), sign_(region.direction < 0 ? -1 : 1) {
  const std::int64_t columns = ceil_div(spec.shape.x, spec.chunk.x);
  const double lift = region.shear * static_cast<double>(spec.chunk.z) / static_cast<double>(spec.chunk.x);
  // All in chunk lengths. Moving on by a chunk of x changes the step by exactly one, so a z is settled by its
  // first.
  std::vector<double> starts;
  for (std::int64_t z = lane.z_begin; z < lane.z_end; ++z)
    starts.push_back(-static_cast<double>(sign_) * lift * static_cast<double>(z));
  const double phase = best_phase(starts);
  constexpr double kSlack = 1e-9;  // fractions that differ by rounding alone belong together
  for (const double s : starts)
    first_step_.push_back(static_cast<std::int64_t>(std::floor(s - phase + kSlack)));
  const auto [low, high] = std::minmax_element(first_step_.begin(), first_step_.end());
  const std::int64_t least = *low + std::min<std::int64_t>(0, sign_ * (columns - 1));
  step_count_ = *high - *low + columns;
  for (std::int64_t& step : first_step_) step -= least;
  steps_.resize(static_cast<std::size_t>(step_count_));
  for (std::int64_t z = lane.z_begin; z < lane.z_end; ++z)
    for (std::int64_t x = 0; x < columns; ++x)
      steps_[static_cast<std::size_t>(step_of({x, z}))].push_back({x, z});
  std::erase_if(steps_, [](const std::vector<Column>& step) { return step.empty(); });
}

Box column_box(const VolumeSpec& spec, const Lane& lane, const Column& column) noexcept {
  const Index3 begin{column.x * spec.chunk.x, lane.y_begin * spec.chunk.y, column.z * spec.chunk.z};
  const Index3 end{begin.x + spec.chunk.x, lane.y_end * spec.chunk.y, begin.z + spec.chunk.z};
  return {begin, min(end, spec.shape)};
}

Box lane_box(const VolumeSpec& spec, const Lane& lane) noexcept {
  return {{0, lane.y_begin * spec.chunk.y, lane.z_begin * spec.chunk.z},
          {spec.shape.x, lane.y_end * spec.chunk.y, lane.z_end * spec.chunk.z}};
}

std::vector<Box> step_boxes(const VolumeSource& source, const VolumeSpec& spec, const Lane& lane,
                            const std::vector<Column>& step) {
  std::vector<Box> boxes;
  for (const Column& column : step) {
    const Box box = column_box(spec, lane, column);
    if (source.may_hold_data(box)) boxes.push_back(box);
  }
  return boxes;
}

std::vector<Box> joined(const std::vector<Box>& a, const std::vector<Box>& b) {
  std::vector<Box> both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

}  // namespace spim::detail
