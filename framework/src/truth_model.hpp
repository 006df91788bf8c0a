#pragma once
/// What a stitched volume should hold, voxel by voxel, worked out from the simulator's truth and the
/// geometry's formulas alone; nothing of the pipeline is used.

#include <cstdint>
#include <vector>

#include "spim/host/mosaic.hpp"
#include "spim/host/truth_check.hpp"

namespace spim::detail {

/// Where the voxels of a volume are.
struct VolumeGrid {
  Index3 shape;
  Vec3 voxel_um;
  Vec3 origin_um;                                        ///< stage position of the centre of voxel (0,0,0)
  Interpolation interpolation = Interpolation::nearest;  ///< how tiles came to lie on the grid

  Vec3 at(Vec3 voxel) const noexcept {
    return {origin_um.x + voxel.x * voxel_um.x, origin_um.y + voxel.y * voxel_um.y,
            origin_um.z + voxel.z * voxel_um.z};
  }
};

/// Expected values of the voxels of a box; dense, index order z,y,x.
struct Expected {
  Box box;
  std::vector<float> level;            ///< grey level; 0 where no tile is
  std::vector<float> variance;         ///< of the noise
  std::vector<std::uint8_t> tiles;     ///< how many tiles cover the voxel, 255 for more
  std::vector<std::uint8_t> face;      ///< axis (0 x, 1 y, 2 z) of the nearest face of a covering tile
  std::vector<std::int32_t> distance;  ///< to that face, voxels; 0 on the face
};

/// One tile, placed on the grid of a volume.
class TileModel {
 public:
  TileModel(const TrueTile& tile, const VolumeGrid& grid, Corrections corrections);

  /// Voxels of the volume that the tile may cover.
  const Box& bounds() const noexcept { return bounds_; }
  /// Position of voxel (x, z) along the stack, in frames.
  double frame_position(std::int64_t x, std::int64_t z) const noexcept;
  /// Whether the tile gives the voxel: where it lies between voxels of the tile, all of these must hold data.
  bool covers(Index3 voxel) const noexcept;
  std::int64_t frames() const noexcept { return simulator_.stack().frames; }
  Vec3 voxel_um() const noexcept { return grid_.voxel_um; }
  /// Standard deviation of a voxel without light.
  double dark_noise() const noexcept { return simulator_.deviation(simulator_.stack().noise.offset); }

  /// Grey levels and variances of plane z of a box (rows y, columns x), as if the tile's true position were
  /// the one that the volume gives it, plus a shift. Voxels that the tile does not cover are left alone.
  struct Plane {
    std::int64_t z;
    Box box;
    Vec3 shift_um;
  };
  void evaluate(const Plane& plane, float* level, float* variance) const;

  /// Grey levels above the offset at the voxels of `box`, wherever the tile ends: what a search looks for.
  std::vector<float> content(const Box& box) const;

  /// The nearest face of the tile's valid region.
  struct Faces {
    double um;            ///< perpendicular distance, every face moved out by one voxel of its axis
    std::int64_t voxels;  ///< along the axis; 0 on the face
    int axis;
  };
  Faces faces(Index3 voxel) const noexcept;

 private:
  /// One of the voxels of the tile between which a voxel of the volume lies.
  struct Corner {
    Index3 by;  ///< 0 or 1 on each axis
    double weight;
  };
  std::vector<Corner> corners() const;
  bool holds(Index3 local) const noexcept;
  void evaluate_corner(const Plane& plane, Index3 by, float* level, float* variance) const;
  double light(std::int64_t frame, std::int64_t row, std::int64_t column) const noexcept;

  StackSimulator simulator_;
  Phantom phantom_;
  VolumeGrid grid_;
  Corrections corrections_;
  Index3 offset_;    ///< voxel X of the volume lies at X − offset + fraction of the tile
  Vec3 fraction_;    ///< 0 … 1; 0 when tiles are moved by whole voxels
  Index3 taps_;      ///< 1 on the axes with a fraction
  double x_offset_;  ///< voxel of frame 0 at z = 0
  double shear_;
  double cos_um_;  ///< x of one column, µm
  double sin_um_;  ///< z of one column, µm
  Box bounds_;
};

/// All tiles.
class TruthModel {
 public:
  TruthModel(const std::vector<TrueTile>& tiles, const VolumeGrid& grid, Corrections corrections);

  const std::vector<TileModel>& tiles() const noexcept { return tiles_; }
  /// The blend of all tiles, weighted by the square of the distance to the nearest face; shift_um[t] moves
  /// tile t.
  Expected expect(const Box& box, const std::vector<Vec3>& shift_um) const;

 private:
  std::vector<TileModel> tiles_;
};

/// The smallest corner of the tiles at their nominal positions: where a mosaic of them begins.
Vec3 smallest_corner(const std::vector<TrueTile>& tiles);

}  // namespace spim::detail
