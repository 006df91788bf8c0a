#include "placed_tile.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace spim::detail {

namespace {

struct Place {
  std::int64_t origin;
  double fraction;
};

Place exact_place(double position) noexcept {
  constexpr double kNoFraction = 1e-6;  // worth less than a tenth of a grey level
  const double whole = std::nearbyint(position);
  if (std::abs(position - whole) < kNoFraction) return {static_cast<std::int64_t>(whole), 0};
  const double above = std::ceil(position);
  return {static_cast<std::int64_t>(above), above - position};
}

}  // namespace

TileOrigin nearest_origin(Vec3 position) noexcept {
  return {{static_cast<std::int64_t>(std::nearbyint(position.x)),
           static_cast<std::int64_t>(std::nearbyint(position.y)),
           static_cast<std::int64_t>(std::nearbyint(position.z))},
          {}};
}

TileOrigin exact_origin(Vec3 position) noexcept {
  const Place x = exact_place(position.x), y = exact_place(position.y), z = exact_place(position.z);
  return {{x.origin, y.origin, z.origin}, {x.fraction, y.fraction, z.fraction}};
}

TileInMosaic::TileInMosaic(std::shared_ptr<VolumeSource> volume, const TileOrigin& at)
    : volume_(std::move(volume)),
      region_(volume_->region()),
      distances_(region_, volume_->voxel_um()),
      origin_(at.origin),
      fraction_(at.fraction),
      taps_{at.fraction.x > 0, at.fraction.y > 0, at.fraction.z > 0} {
  const Box valid = clip_to_region(region_, Box{{0, 0, 0}, region_.shape});
  if (!valid.empty()) bounds_ = shift(Box{valid.begin, valid.end - taps_}, origin_);
  if (bounds_.empty()) bounds_ = {};
}

Box TileInMosaic::local_box(const Box& box) const noexcept {
  const Box wanted = intersect(box, bounds_);
  if (wanted.empty()) return {};
  const Box local = to_local(wanted);
  return clip_to_region(region_, Box{local.begin, local.end + taps_});
}

TileInMosaic::Plane TileInMosaic::plane(std::int64_t z) const noexcept {
  const std::int64_t below = z - origin_.z;
  IndexRange x = region_.valid_x(below);
  if (taps_.z > 0) x = intersect(x, region_.valid_x(below + 1));
  return {{x.begin + origin_.x, x.end - taps_.x + origin_.x},
          {origin_.y, origin_.y + region_.shape.y - taps_.y},
          distances_.in_plane(fraction_.x, static_cast<double>(below) + fraction_.z)};
}

float TileInMosaic::to_y_face(std::int64_t y) const noexcept {
  return distances_.to_y_face(static_cast<double>(y - origin_.y) + fraction_.y);
}

void TileInMosaic::interpolate(VolumeView<const std::uint16_t> voxels, const Box& held, Index3 first,
                               std::span<float> out) const noexcept {
  const Index3 at = first - origin_ - held.begin;
  const double wy = fraction_.y, wz = fraction_.z;
  const RowTaps taps{
      {voxels.row(at.y, at.z) + at.x, voxels.row(at.y + taps_.y, at.z) + at.x,
       voxels.row(at.y, at.z + taps_.z) + at.x, voxels.row(at.y + taps_.y, at.z + taps_.z) + at.x},
      {static_cast<float>((1 - wy) * (1 - wz)), static_cast<float>(wy * (1 - wz)),
       static_cast<float>((1 - wy) * wz), static_cast<float>(wy * wz)}};
  interpolate_row(taps, static_cast<float>(fraction_.x), static_cast<std::int64_t>(out.size()), out.data());
}

WRange TileInMosaic::w_of_mosaic(double shear) const noexcept {
  const WRange local = w_range(region_);
  const double x = static_cast<double>(origin_.x) - fraction_.x;
  const double z = static_cast<double>(origin_.z) - fraction_.z;
  WRange w{1e300, -1e300};
  for (const double depth : {0.0, static_cast<double>(region_.shape.z - 1)}) {
    const double lift = region_.shear * depth - shear * (z + depth) + x;
    w.first = std::min(w.first, local.first + lift);
    w.last = std::max(w.last, local.last + lift);
  }
  return w;
}

}  // namespace spim::detail
