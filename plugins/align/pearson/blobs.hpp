#pragma once
/// Bright spots of a window.

#include <vector>

#include "common/patch.hpp"

namespace spim {

struct Blob {
  Index3 at;        ///< voxels of the tile
  double strength;  ///< difference of the two smoothings, grey levels
};

/// Maxima of the difference of Gaussians of `sigmas` (the narrow one) and three times `sigmas` voxels inside
/// `where`, if they stand out of the noise of the patch: more than five times the deviation that the noise
/// has in the difference. Places are exact to about half a narrow sigma.
std::vector<Blob> find_blobs(const alignment::Patch& patch, const Box& where, Vec3 sigmas);

}  // namespace spim
