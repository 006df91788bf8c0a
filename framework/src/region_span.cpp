#include "region_span.hpp"

#include <algorithm>
#include <cmath>

namespace spim::detail {

WRange w_range(const ValidRegion& region) noexcept {
  const double length = static_cast<double>(region.frames - 1);
  const double first = region.direction > 0 ? region.x_offset : region.x_offset - length;
  return {first, first + length};
}

XSpan valid_span(const ValidRegion& region, std::int64_t z) noexcept {
  if (z < 0 || z >= region.shape.z || region.frames <= 0) return {};
  constexpr double kTolerance = 1e-7;  // rounding of shear·z must not lose the voxels on the faces
  const WRange w = w_range(region);
  const double lift = region.shear * static_cast<double>(z);
  const XSpan span{static_cast<std::int64_t>(std::ceil(w.first + lift - kTolerance)),
                   static_cast<std::int64_t>(std::floor(w.last + lift + kTolerance)) + 1};
  return intersect(span, {0, region.shape.x});
}

Box clip_to_region(const ValidRegion& region, const Box& box) noexcept {
  Box clipped = intersect(box, Box{{0, 0, 0}, region.shape});
  if (clipped.empty() || region.frames <= 0) return {};
  const WRange w = w_range(region);
  const double lift_a = region.shear * static_cast<double>(clipped.begin.z);
  const double lift_b = region.shear * static_cast<double>(clipped.end.z - 1);
  constexpr double kSlack = 1e-6;
  const double first = w.first + std::min(lift_a, lift_b) - kSlack;
  const double last = w.last + std::max(lift_a, lift_b) + kSlack;
  clipped.begin.x = std::max(clipped.begin.x, static_cast<std::int64_t>(std::ceil(first)));
  clipped.end.x = std::min(clipped.end.x, static_cast<std::int64_t>(std::floor(last)) + 1);
  return clipped.empty() ? Box{} : clipped;
}

}  // namespace spim::detail
