#pragma once
/// Whether one sees in a stitched volume where its tiles end.

#include <cstdint>
#include <vector>

#include "spim/geometry.hpp"
#include "spim/host/alignment.hpp"
#include "spim/host/executor.hpp"
#include "spim/volume_reader.hpp"

namespace spim {

/// A face of a tile inside another tile.
struct VolumeSeam {
  std::size_t tile = 0;   ///< whose face it is
  std::size_t other = 0;  ///< in which it lies
  char axis = 'x';        ///< across which grey levels are compared
  std::int64_t voxels =
      0;  ///< pairs of voxels that were compared across the face; 0: nothing but zeros there
  double contrast =
      0;  ///< mean jump across the face over the mean jump 3 to 6 voxels beside it; 1: nothing shows
  double step = 0;  ///< mean signed jump towards the inside of the tile, over the mean grey level
};

struct VolumeSeamSettings {
  Vec3 voxel_um;                     ///< pitch of level 0
  std::int64_t places_per_axis = 8;  ///< places that are looked at along each axis of a face
};

/// Looks at level 0 of `volume`, in which tile number i begins at tiles[i].nominal_um. Faces in the order of
/// the pairs of plan_pairs(). The result does not depend on the number of workers. Throws what reading
/// throws.
std::vector<VolumeSeam> check_volume_seams(VolumeReader& volume, const std::vector<TileToAlign>& tiles,
                                           const VolumeSeamSettings& settings, const Executor& executor);

}  // namespace spim
