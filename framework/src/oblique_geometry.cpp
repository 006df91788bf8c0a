#include "spim/host/oblique_geometry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "spim/error.hpp"

namespace spim {

namespace {

/// Beyond this a double no longer tells neighbouring voxels apart by kPositionTolerance.
constexpr double kLongestExtent = 1e8;

void check(const ScanSettings& settings) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  if (!positive(settings.y_voxel_um))
    throw UsageError(
        fmt::format("the y voxel size is {} um but must be greater than 0; give the camera pixel "
                    "size divided by the magnification",
                    settings.y_voxel_um));
  if (!positive(settings.x_step_um))
    throw UsageError(
        fmt::format("the x step size is {} um but must be greater than 0; give the stage step between frames",
                    settings.x_step_um));
  if (!(settings.tilt_degrees > 0 && settings.tilt_degrees < 90))
    throw UsageError(
        fmt::format("the tilt is {} degrees but must lie between 0 and 90, both excluded; give the "
                    "angle between the light sheet and the stage",
                    settings.tilt_degrees));
  if (settings.direction != 1 && settings.direction != -1)
    throw UsageError(fmt::format("the scan direction is {} but must be 1 or -1", settings.direction));
}

struct Tilt {
  double cosine;
  double sine;
};

/// At 45° sine and cosine are the same double, which std::sin and std::cos do not promise.
Tilt tilt_of(double degrees) {
  if (degrees == 45) return {std::numbers::sqrt2 / 2, std::numbers::sqrt2 / 2};
  const double radians = degrees * std::numbers::pi / 180;
  return {std::cos(radians), std::sin(radians)};
}

/// r = v·cosθ/s, or the whole number next to it when that moves no voxel by half a voxel or more.
double shear_of(const ScanSettings& settings, std::int64_t columns) {
  const double shear = settings.y_voxel_um * tilt_of(settings.tilt_degrees).cosine / settings.x_step_um;
  const double whole = std::round(shear);
  const double drift = std::abs(shear - whole) * static_cast<double>(columns - 1);
  return whole >= 1 && drift < 0.5 ? whole : shear;
}

/// ceil(r·(columns−1)), where a hair above a whole number is that number.
std::int64_t sheared_extent(double shear, std::int64_t columns) {
  const double extent = std::ceil(shear * static_cast<double>(columns - 1) - kPositionTolerance);
  if (!(extent <= kLongestExtent))
    throw Error(
        fmt::format("the volume of {} columns with a shear of {} voxels per column is longer than {} voxels; "
                    "check the voxel size, the step size and the tilt",
                    columns, shear, kLongestExtent));
  return static_cast<std::int64_t>(std::max(extent, 0.0));
}

void check_size(Index3 shape) {
  std::int64_t voxels = 0;
  if (shape.x < 1 || shape.y < 1 || shape.z < 1)
    throw Error(
        fmt::format("a volume of {} x {} x {} voxels (x, y, z) holds no data", shape.x, shape.y, shape.z));
  if (static_cast<double>(shape.x) > kLongestExtent || __builtin_mul_overflow(shape.x, shape.y, &voxels) ||
      __builtin_mul_overflow(voxels, shape.z, &voxels) ||
      __builtin_mul_overflow(voxels, std::int64_t{8}, &voxels))
    throw Error(
        fmt::format("a volume of {} x {} x {} voxels (x, y, z) is too large to be addressed; check the "
                    "header of the stack",
                    shape.x, shape.y, shape.z));
}

}  // namespace

PlaneLine ValidRegion::line(std::int64_t z) const noexcept {
  const double position = frame_position(0, static_cast<double>(z));
  const double whole = std::round(position);
  if (std::abs(position - whole) <= kPositionTolerance) return {static_cast<std::int64_t>(whole), 0};
  const double below = std::floor(position);
  return {static_cast<std::int64_t>(below), position - below};
}

IndexRange ValidRegion::valid_x(std::int64_t z) const noexcept {
  if (z < 0 || z >= shape.z) return {};
  const PlaneLine at = line(z);
  const std::int64_t above = at.weight > 0 ? 1 : 0;  // the frame behind is needed too
  // first and last: the voxels whose neighbours are frame 0 and frame frames−1, in the order of x.
  const std::int64_t first = direction > 0 ? -at.frame : at.frame + above - (frames - 1);
  const std::int64_t last = direction > 0 ? frames - 1 - above - at.frame : at.frame;
  return {std::max<std::int64_t>(first, 0), std::min(last + 1, shape.x)};
}

bool ValidRegion::covers(std::int64_t x, std::int64_t y, std::int64_t z) const noexcept {
  if (y < 0 || y >= shape.y) return false;
  const IndexRange valid = valid_x(z);
  return x >= valid.begin && x < valid.end;
}

IndexRange ValidRegion::frames_for(const Box& box) const noexcept {
  const Box inside = intersect(box, {{}, shape});
  if (inside.empty()) return {};
  // The position is monotonic in x and z, so its extremes lie at the corners.
  const auto of_plane = [&](std::int64_t z) -> IndexRange {
    const PlaneLine at = line(z);
    const std::int64_t a = direction * inside.begin.x, b = direction * (inside.end.x - 1);
    return {std::min(a, b) + at.frame, std::max(a, b) + at.frame + (at.weight > 0 ? 2 : 1)};
  };
  const IndexRange low = of_plane(inside.begin.z), high = of_plane(inside.end.z - 1);
  return {std::max<std::int64_t>(std::min(low.begin, high.begin), 0),
          std::min(std::max(low.end, high.end), frames)};
}

ObliqueGeometry::ObliqueGeometry(const ScanSettings& settings, const StackShape& stack) : stack_(stack) {
  check(settings);
  if (stack.frames < 1 || stack.rows < 1 || stack.columns < 1)
    throw Error(fmt::format("a stack of {} frames of {} rows x {} columns holds no data", stack.frames,
                            stack.rows, stack.columns));
  const Tilt tilt = tilt_of(settings.tilt_degrees);
  voxel_um_ = {settings.x_step_um, settings.y_voxel_um, settings.y_voxel_um * tilt.sine};
  const double shear = shear_of(settings, stack.columns);
  if (static_cast<double>(stack.frames) > kLongestExtent)
    throw Error(fmt::format("the stack says that it has {} frames, more than {}; check its header",
                            stack.frames, kLongestExtent));
  region_.shape = {stack.frames + sheared_extent(shear, stack.columns), stack.rows, stack.columns};
  check_size(region_.shape);
  region_.shear = shear;
  region_.x_offset = settings.direction > 0 ? 0 : static_cast<double>(stack.frames - 1);
  region_.frames = stack.frames;
  region_.direction = settings.direction;
}

Vec3 ObliqueGeometry::origin_um() const noexcept {
  return {0 - region_.x_offset * voxel_um_.x, 0, 0};
}

ValidRegion coarser_region(const ValidRegion& region, std::int32_t level, Index3 shape) {
  if (level == 0) return region;
  // Valid are x − r·z in [low, high]. Voxel X of the level covers x from f·X to f·X + f − 1, and so does Z.
  const auto f = static_cast<double>(std::int64_t{1} << level);
  const auto length = static_cast<double>(region.frames - 1);
  const double low = region.x_offset - (region.direction > 0 ? 0 : length), high = low + length;
  const double first = (low + region.shear * (f - 1)) / f;
  // The last voxel of a box covers fewer voxels than f.
  const bool box = region.shear == 0 && region.frames == region.shape.x;
  const double last = box ? static_cast<double>(shape.x - 1) : (high - (f - 1)) / f;
  const auto frames = static_cast<std::int64_t>(std::floor(last - first + kPositionTolerance)) + 1;
  if (frames < 1)
    throw Error(fmt::format("level {} of a volume of {} x {} x {} voxels has none that is made of data alone",
                            level, region.shape.x, region.shape.y, region.shape.z));
  return {shape, region.shear, first, frames, 1};
}

ValidRegion region_of_converted(const ScanSettings& settings, Index3 shape) {
  check(settings);
  check_size(shape);
  const double shear = shear_of(settings, shape.z);
  const std::int64_t frames = shape.x - sheared_extent(shear, shape.z);
  if (frames < 1)
    throw Error(fmt::format(
        "a volume of {} x {} x {} voxels (x, y, z) is too short in x for a shear of {} voxels per "
        "plane, which alone takes {}; check the voxel size, the step size and the tilt",
        shape.x, shape.y, shape.z, shear, shape.x - frames));
  return {shape, shear, settings.direction > 0 ? 0 : static_cast<double>(frames - 1), frames,
          settings.direction};
}

}  // namespace spim
