#pragma once
/// Weights of overlapping tiles along one row, and their mean.

#include <cstdint>

#include "spim/host/oblique_geometry.hpp"

namespace spim::detail {

/// Distance to the nearest face of a tile's valid region along a row, as a function of x:
/// min(cap, pitch·(x − first + first_fraction), pitch·(last − x + last_fraction)). The whole numbers are kept
/// apart from the fractions so that float32 is exact near both faces, however long the tile.
struct FaceDistance {
  float cap = 0;
  float pitch = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  float first_fraction = 0;
  float last_fraction = 0;
};

/// Distances in micrometres, perpendicular to the faces, each face moved out by one voxel of its own axis, so
/// that a voxel on a face still counts. Positions are in voxels of the tile and may be fractions.
class FaceDistances {
 public:
  FaceDistances(const ValidRegion& region, Vec3 voxel_um);
  /// Of the oblique faces and those in z, for voxels x + x_fraction of plane z.
  FaceDistance in_plane(double x_fraction, double z) const noexcept;
  /// Of the nearest face in y.
  float to_y_face(double y) const noexcept;

 private:
  ValidRegion region_;
  Vec3 pitch_um_;  ///< one voxel along each axis, measured perpendicular to that axis' faces
};

/// A span of a row of one tile.
struct RowOfTile {
  const std::uint16_t* voxels = nullptr;
  std::int64_t x = 0;  ///< of the first voxel, in the tile
  FaceDistance distance;
};

/// (w₁·v₁ + w₂·v₂) / (w₁ + w₂) with w = d², rounded to nearest.
void blend_two(const RowOfTile& a, const RowOfTile& b, std::int64_t count, std::uint16_t* out);

/// The sums of w·v and of w = d² over the tiles that cover a span of a row.
struct RowSums {
  std::int64_t x = 0;  ///< of the first voxel, in the tile that is added
  std::int64_t count = 0;
  float* weighted = nullptr;
  float* weights = nullptr;
};

/// Adds the voxels of one tile.
void accumulate(const std::uint16_t* voxels, const FaceDistance& distance, const RowSums& sums);
void accumulate(const float* voxels, const FaceDistance& distance, const RowSums& sums);

/// weighted / weights, rounded to nearest.
void finish_mean(const float* weighted, const float* weights, std::int64_t count, std::uint16_t* out);

/// Rounded to nearest; values lie in 0 … 65535.
void round_row(const float* values, std::int64_t count, std::uint16_t* out);

/// The four rows around a fractional (y, z) and their weights.
struct RowTaps {
  const std::uint16_t* row[4] = {};
  float weight[4] = {};
};

/// Linear interpolation: out[i] = (1 − x_fraction)·t(i) + x_fraction·t(i + 1), t the weighted sum of the
/// taps. When x_fraction is 0 t(count) is not touched.
void interpolate_row(const RowTaps& taps, float x_fraction, std::int64_t count, float* out);

}  // namespace spim::detail
