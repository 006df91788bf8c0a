#pragma once
/// One tile of a mosaic: how it lies on the voxel grid of the mosaic.

#include <cstdint>
#include <memory>
#include <span>

#include "blend.hpp"
#include "region_span.hpp"
#include "spim/host/volume_source.hpp"

namespace spim::detail {

/// Voxel X of the mosaic lies at tile position X − origin + fraction on each axis, 0 ≤ fraction < 1: between
/// the tile's voxels X − origin and, where the fraction is not 0, the next one.
struct TileOrigin {
  Index3 origin;
  Vec3 fraction;
};

/// Position rounded to the nearest voxel, ties to even.
TileOrigin nearest_origin(Vec3 position) noexcept;
/// Exact position; a fraction of less than a millionth is none.
TileOrigin exact_origin(Vec3 position) noexcept;

/// A tile and its place. All boxes and rows are of the mosaic unless called local.
class TileInMosaic {
 public:
  TileInMosaic(std::shared_ptr<VolumeSource> volume, const TileOrigin& at);

  VolumeSource& volume() const noexcept { return *volume_; }
  bool shifted_by_fraction() const noexcept { return fraction_ != Vec3{}; }
  /// Voxels of the mosaic that this tile may give, a box around its valid region.
  const Box& bounds() const noexcept { return bounds_; }

  /// Voxels of the tile from which those of `box` are computed; empty when there are none.
  Box local_box(const Box& box) const noexcept;
  Box to_local(const Box& box) const noexcept { return shift(box, Index3{} - origin_); }

  /// Which voxels of a plane are valid, not clipped to any box: all of `x` in all rows of `y`; and how far
  /// they are from the faces but those in y.
  struct Plane {
    IndexRange x;
    IndexRange y;
    FaceDistance distance;
  };
  Plane plane(std::int64_t z) const noexcept;
  float to_y_face(std::int64_t y) const noexcept;
  std::int64_t local_x(std::int64_t x) const noexcept { return x - origin_.x; }

  /// Interpolates voxels [span.begin, span.end) of row (·, y, z) from `voxels`, which hold local_box()
  /// `held`.
  void interpolate(VolumeView<const std::uint16_t> voxels, const Box& held, Index3 first,
                   std::span<float> out) const noexcept;

  /// Range of w = x − shear·z in the mosaic for a `shear` that may be another than the tile's.
  WRange w_of_mosaic(double shear) const noexcept;

 private:
  std::shared_ptr<VolumeSource> volume_;
  ValidRegion region_;
  FaceDistances distances_;
  Index3 origin_;
  Vec3 fraction_;
  Index3 taps_;  ///< 1 on the axes with a fraction: one more voxel is needed
  Box bounds_;
};

}  // namespace spim::detail
