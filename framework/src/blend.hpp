#pragma once
/// Weights of overlapping tiles along one row, and their mean.

#include <cstdint>

#include "spim/host/oblique_geometry.hpp"

namespace spim::detail {

/// Where a row runs through a tile: its y and z (tile voxels, perhaps fractions), and the fraction that is
/// added to the whole-numbered x.
struct RowPosition {
  double x_fraction = 0;
  double y = 0;
  double z = 0;
};

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
/// that a voxel on a face still counts.
class FaceDistances {
 public:
  FaceDistances(const ValidRegion& region, Vec3 voxel_um);
  FaceDistance along_row(const RowPosition& at) const noexcept;

 private:
  ValidRegion region_;
  Vec3 pitch_um_;  ///< one voxel along each axis, measured perpendicular to that axis' faces
};

/// Adds `count` voxels of one tile, the first at tile x `x`, to the sums of w·v and w with w = d².
void accumulate(const std::uint16_t* voxels, std::int64_t x, std::int64_t count, const FaceDistance& distance,
                float* weighted, float* weights);
void accumulate(const float* voxels, std::int64_t x, std::int64_t count, const FaceDistance& distance,
                float* weighted, float* weights);

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
