#pragma once
/// Smoothed windows, on a lattice no finer than the smoothing deserves.

#include <vector>

#include "common/patch.hpp"
#include "spim/geometry.hpp"

namespace spim::alignment {

/// Cell c lies at voxel origin + step·c. The origin may lie outside the tile.
struct Lattice {
  Index3 origin;
  Index3 step{1, 1, 1};
  Index3 size;
};

/// Lattice of cells `step` apart that covers `window` voxels around `centre`, an odd number on each axis.
Lattice lattice_around(Index3 centre, Index3 window, Index3 step);
/// The voxels of the tile at `position` that `fixed` and `reach` cells around it fall on.
Lattice moved(const Lattice& fixed, Index3 position, Index3 reach);
/// The voxels from the first to the last cell, and `margin` around.
Box covered(const Lattice& lattice, Index3 margin);

/// Samples of a smoothed tile. Rows are padded to whole vectors with cells of weight 0, and so is the end.
struct Cells {
  Index3 size;
  std::int64_t stride = 0;   ///< cells from row to row; planes follow each other
  std::vector<float> value;  ///< minus their weighted mean; 0 where the weight is 0
  std::vector<float>
      weight;        ///< 0 (nothing there, or on a face) … 1 (everything under the Gaussian is known)
  double level = 0;  ///< the mean that was taken away

  std::int64_t at(Index3 c) const noexcept { return (c.z * size.y + c.y) * stride + c.x; }
};

inline constexpr std::int64_t kLanes = 8;

/// Cells of `size`, all of value and weight 0.
Cells empty_cells(Index3 size);

/// Distance of cells, in voxels, that keeps all that a Gaussian of `sigma` voxels leaves: at their Nyquist
/// frequency it passes less than 1e-3.
Index3 lattice_step(Vec3 sigma);

/// Independent samples in smoothed cells: their volume over (4π)^(3/2)·σx·σy·σz, or over a voxel when that is
/// more.
double independent_samples(const Cells& cells, Index3 step, Vec3 sigma);

/// Voxels around a window that its smoothing makes good use of.
Index3 smoothing_margin(Vec3 sigma);

/// `patch` under a Gaussian of `sigma` voxels (cut at 3 sigma, 0: none), normalised by the data under it.
/// The weight is 2c − 1, c the share of the Gaussian that lies on data, and 0 below one half: near a face the
/// mean of the remaining half belongs to a place inside, not to the cell.
Cells smooth(const Patch& patch, const Lattice& lattice, Vec3 sigma);

}  // namespace spim::alignment
