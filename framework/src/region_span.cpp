#include "region_span.hpp"

#include <algorithm>
#include <cmath>

namespace spim::detail {

WRange w_range(const ValidRegion& region) noexcept {
  const double length = static_cast<double>(region.frames - 1);
  const double first = region.direction > 0 ? region.x_offset : region.x_offset - length;
  return {first, first + length};
}

Box clip_to_region(const ValidRegion& region, const Box& box) noexcept {
  Box clipped = intersect(box, Box{{0, 0, 0}, region.shape});
  if (clipped.empty() || region.frames <= 0) return {};
  const WRange w = w_range(region);
  const double lift_a = region.shear * static_cast<double>(clipped.begin.z);
  const double lift_b = region.shear * static_cast<double>(clipped.end.z - 1);
  const double first = w.first + std::min(lift_a, lift_b) - kPositionTolerance;
  const double last = w.last + std::max(lift_a, lift_b) + kPositionTolerance;
  clipped.begin.x = std::max(clipped.begin.x, static_cast<std::int64_t>(std::ceil(first)));
  clipped.end.x = std::min(clipped.end.x, static_cast<std::int64_t>(std::floor(last)) + 1);
  return clipped.empty() ? Box{} : clipped;
}

}  // namespace spim::detail
