#pragma once
/// A part of one tile in memory.

#include <memory>
#include <vector>

#include "spim/aligner.hpp"

namespace spim::alignment {

/// Voxels of `box` (dense, z,y,x), 0 where the tile holds no data.
struct Patch {
  Box box;
  std::unique_ptr<float[]> voxels;
  std::vector<IndexRange> valid;  ///< x of the voxels that hold data, for each plane z of the box

  const float* row(std::int64_t y, std::int64_t z) const {
    const Index3 n = box.size();
    return voxels.get() + ((z - box.begin.z) * n.y + y - box.begin.y) * n.x;
  }
};

/// The parts of two patches that both hold, as patches of the same shape and the same valid voxels.
struct CommonPatches {
  Patch fixed, moving;
};

/// What `fixed` and `moving` both hold inside `window` of the fixed tile when the moving tile sits at
/// `position`; empty when there is nothing.
CommonPatches common_part(const Patch& fixed, const Patch& moving, Index3 position, const Box& window);

/// Reads what `tile` holds of `wanted` with one call. The box of the result is as small as the data allow;
/// empty when there are none. `wanted` may reach outside the tile.
Patch read_patch(TileView& tile, const Box& wanted);

}  // namespace spim::alignment
