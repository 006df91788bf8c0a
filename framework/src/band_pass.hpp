#pragma once
/// Smoothing of volumes with missing voxels.

#include <vector>

#include "spim/geometry.hpp"

namespace spim::detail {

/// Voxels and where they are known, order z,y,x.
struct MaskedVolume {
  Index3 size;
  std::vector<float> values;  ///< 0 where unknown
  std::vector<float> known;   ///< 1 or 0

  /// From voxels that are NaN where unknown.
  MaskedVolume(Index3 size, const std::vector<float>& voxels);
};

/// Gaussian mean of the known voxels (normalised convolution, Knutsson and Westin 1993) where `volume` is
/// known, 0 elsewhere. `sigma` in voxels.
std::vector<float> smoothed(const MaskedVolume& volume, double sigma);

}  // namespace spim::detail
