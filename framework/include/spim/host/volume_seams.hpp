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
      0;                ///< pairs of voxels that were compared across the face; 0: nothing but zeros there
  double contrast = 0;  ///< usual jump across the face over that 3 to 5 voxels beside it; 1: nothing shows
  double standard_error = 0;  ///< of the contrast of a face that does not show
  double step = 0;            ///< usual signed jump towards the inside of the tile, over the mean grey level

  /// True when the face stands out from its surroundings by more than chance.
  bool shows() const noexcept { return voxels > 0 && contrast > 1 + 3 * standard_error; }
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
