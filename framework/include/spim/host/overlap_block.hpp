#pragma once
/// The same piece of the specimen as two tiles show it.

#include <vector>

#include "spim/aligner.hpp"
#include "spim/geometry.hpp"

namespace spim {

/// Voxels in the order z,y,x; NaN where a tile holds no data.
struct OverlapBlock {
  Index3 size;
  std::vector<float> fixed;
  std::vector<float> moving;
};

/// Reads `box` (of the voxel frame of `fixed`; what lies outside the tile becomes NaN). Voxel (0,0,0) of
/// `moving` is at `offset` of that frame; fractions are interpolated linearly. [any thread]
OverlapBlock read_overlap(TileView& fixed, TileView& moving, const Box& box, Vec3 offset);

/// The box in which data of both may lie, in the voxel frame of `fixed`: slanted faces may leave corners of
/// it without data.
Box overlap_box(const TileView& fixed, const TileView& moving, Vec3 offset);

/// Where both tiles hold data in plane z, in the voxel frame of `fixed`.
IndexRange common_x(const TileView& fixed, const TileView& moving, Vec3 offset, std::int64_t z);

/// Pearson correlation of the voxels that both hold; 0 when there are fewer than 8 or one is flat.
double correlation(const OverlapBlock& block) noexcept;

}  // namespace spim
