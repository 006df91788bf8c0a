#pragma once
/// The geometry of an oblique scan: the only formulas that matter.
///
/// Frame k, row i, column j; camera voxel v µm; stage step s µm; tilt θ; direction d = ±1:
///   X = d·k·s + j·v·cosθ     Y = i·v     Z = j·v·sinθ      (µm, relative to the tile's position)
/// so the deskew is a pure shear of r = v·cosθ/s voxels of x per column, and column j is plane z exactly.

#include <cstdint>

#include "spim/geometry.hpp"

namespace spim {

/// What the microscope was set to.
struct ScanSettings {
  double y_voxel_um = 1.8;   ///< camera voxel v, > 0
  double x_step_um = 1.28;   ///< stage step s between frames, > 0
  double tilt_degrees = 45;  ///< between the sheet and the stage, 0 < θ < 90
  int direction = 1;         ///< +1, or -1 when the stage runs towards smaller x
};

/// Size of an oriented stack.
struct StackShape {
  std::int64_t frames = 0;
  std::int64_t rows = 0;     ///< y of the volume
  std::int64_t columns = 0;  ///< z of the volume
};

/// Where one plane z cuts the stack: voxel (x, ·, z) lies `weight` of the way from frame direction·x + frame
/// to the next one. A weight of 0 means exactly on the frame.
struct PlaneLine {
  std::int64_t frame = 0;
  double weight = 0;  ///< 0 ≤ weight < 1
};

/// Frame positions closer than this to a whole number are that number: rounding of r·z must not lose the
/// voxels on the faces. At a full step of 65535 grey levels it is worth 0.007 of one.
inline constexpr double kPositionTolerance = 1e-7;

/// Which voxels of a volume hold data: those whose frame position k = d·(x − x0 − r·z) lies in [0, frames−1],
/// and that lie inside the shape. For a plain box (shear 0, frames = shape.x) it is the whole volume.
struct ValidRegion {
  Index3 shape;
  double shear = 0;  ///< r, whatever the direction
  double x_offset = 0;
  std::int64_t frames = 0;
  int direction = 1;

  /// Position along the stack, in frames, of voxel (x, ·, z). x and z may be fractions. Not rounded to whole
  /// frames; line() is.
  double frame_position(double x, double z) const noexcept { return direction * (x - x_offset - shear * z); }
  PlaneLine line(std::int64_t z) const noexcept;
  /// The voxels of plane z that are valid, inside [0, shape.x).
  IndexRange valid_x(std::int64_t z) const noexcept;
  bool covers(std::int64_t x, std::int64_t y, std::int64_t z) const noexcept;
  /// Frames that the voxels of `box` are computed from; the box may reach outside the shape.
  IndexRange frames_for(const Box& box) const noexcept;
};

/// Deskew of one stack, with every number worked out.
class ObliqueGeometry {
 public:
  /// Throws UsageError for impossible settings and Error when the extents overflow.
  ObliqueGeometry(const ScanSettings& settings, const StackShape& stack);

  /// Extents of the volume: x = frames + ceil(r·(columns−1)), y = rows, z = columns.
  Index3 shape() const noexcept { return region_.shape; }
  /// Position of the centre of voxel (0,0,0) relative to the stack's stage position, µm: 0 for direction +1,
  /// and −(frames−1)·s in x for direction −1, where the last frame lies at the smallest x.
  Vec3 origin_um() const noexcept;
  /// Pitch of the volume: (s, v, v·sinθ).
  Vec3 voxel_um() const noexcept { return voxel_um_; }
  /// Shear in voxels of x per column, after snapping: exactly 1 (or another integer) when the settings differ
  /// from it by less than half a voxel over the whole depth, so that such scans are copied bit for bit.
  double shear() const noexcept { return region_.shear; }
  const ValidRegion& region() const noexcept { return region_; }
  const StackShape& stack() const noexcept { return stack_; }

 private:
  StackShape stack_;
  Vec3 voxel_um_;
  ValidRegion region_;
};

/// The region that data occupy in a volume which was deskewed before, recovered from its extents: frames =
/// shape.x − ceil(r·(shape.z−1)). Throws UsageError for impossible settings and Error when no frame is left.
ValidRegion region_of_converted(const ScanSettings& settings, Index3 shape);

/// The region of level `level` of a pyramid whose level 0 has `region`: voxels that are means of valid voxels
/// only. `shape` is that of the level. Throws Error when none is left.
ValidRegion coarser_region(const ValidRegion& region, std::int32_t level, Index3 shape);

}  // namespace spim
