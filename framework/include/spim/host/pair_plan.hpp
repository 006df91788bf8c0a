#pragma once
/// Which tiles overlap.

#include <cstddef>
#include <vector>

#include "spim/host/alignment.hpp"

namespace spim {

/// Two tiles that overlap nominally; fixed < moving.
struct TilePair {
  std::size_t fixed = 0;
  std::size_t moving = 0;
  Vec3 guess_voxels;        ///< nominal position of voxel (0,0,0) of `moving` in the voxel frame of `fixed`
  Vec3 overlap_voxels;      ///< extents of the overlap of the data along frames, y and z
  bool neighbours = false;  ///< they overlap over a face; otherwise over an edge or a corner
};

struct PairPlanSettings {
  Vec3 voxel_um;
  double least_overlap = 4;  ///< voxels of overlap that are needed on each axis
};

/// All pairs whose data overlap, in the order of (fixed, moving). Overlaps are those of the sheared regions,
/// not of their bounding boxes. The cost is linear in the number of tiles and pairs.
std::vector<TilePair> plan_pairs(const std::vector<TileToAlign>& tiles, const PairPlanSettings& settings);

}  // namespace spim
