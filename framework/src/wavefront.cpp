#include "wavefront.hpp"

#include <algorithm>
#include <cmath>

namespace spim::detail {

Wavefront::Wavefront(const VolumeSpec& spec, const ValidRegion& region, const Lane& lane, double step) {
  const std::int64_t columns = ceil_div(spec.shape.x, spec.chunk.x);
  const double chunk_x = static_cast<double>(spec.chunk.x);
  const double lift = region.shear * static_cast<double>(spec.chunk.z);
  const double sign = region.direction < 0 ? -1 : 1;
  const auto start = [&](std::int64_t x, std::int64_t z) {
    return sign * (static_cast<double>(x) * chunk_x - lift * static_cast<double>(z));
  };
  double least = start(0, lane.z_begin);
  double most = least;
  for (const std::int64_t x : {std::int64_t{0}, columns - 1})
    for (const std::int64_t z : {lane.z_begin, lane.z_end - 1}) {
      least = std::min(least, start(x, z));
      most = std::max(most, start(x, z));
    }
  // A hair of slack keeps chunks that start at the same frame in one step, whatever the rounding of lift·z.
  constexpr double kSlack = 1e-6;
  const auto step_of = [&](std::int64_t x, std::int64_t z) {
    return static_cast<std::size_t>(std::floor((start(x, z) - least) / step + kSlack));
  };
  steps_.resize(static_cast<std::size_t>(std::floor((most - least) / step + kSlack)) + 1);
  for (std::int64_t z = lane.z_begin; z < lane.z_end; ++z)
    for (std::int64_t x = 0; x < columns; ++x) steps_[step_of(x, z)].push_back({x, z});
  std::erase_if(steps_, [](const std::vector<Column>& columns_of_step) { return columns_of_step.empty(); });
}

Box column_box(const VolumeSpec& spec, const Lane& lane, const Column& column) noexcept {
  const Index3 begin{column.x * spec.chunk.x, lane.y_begin * spec.chunk.y, column.z * spec.chunk.z};
  const Index3 end{begin.x + spec.chunk.x, lane.y_end * spec.chunk.y, begin.z + spec.chunk.z};
  return {begin, min(end, spec.shape)};
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

}  // namespace spim::detail
