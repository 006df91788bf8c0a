#pragma once
/// How well a stitched volume shows what the simulated microscope looked at.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spim/host/executor.hpp"
#include "spim/host/mosaic.hpp"
#include "spim/host/progress.hpp"
#include "spim/host/simulation.hpp"
#include "spim/volume_reader.hpp"

namespace spim {

/// What has been taken out of the frames before they became the volume.
struct Corrections {
  bool dark = false;  ///< the camera's offset
  bool illumination = false;
  bool stripes = false;
};

struct TruthCheckSettings {
  /// Stage position of the centre of voxel (0,0,0), µm; nothing: what the volume
  /// says, or the smallest corner of the tiles when it says 0,0,0.
  std::optional<Vec3> origin_um;
  /// Added to all positions, of tiles and of the volume: an alignment knows where tiles are to each other,
  /// not where everything is.
  Vec3 everything_um;
  Interpolation interpolation = Interpolation::nearest;  ///< how the mosaic was made
  Corrections corrections;
  std::int64_t blocks =
      200;  ///< how many random blocks of 64 x 64 x 16 voxels are compared; 0: the whole volume
  std::uint64_t seed = 1;    ///< of the choice of blocks
  std::int64_t search = 10;  ///< how far tiles are looked for around their nominal position, voxels per axis
};

/// A volume to compare: level 0 is read.
struct CheckedVolume {
  VolumeReader* reader = nullptr;
  Vec3 voxel_um;  ///< pitch; 0 on an axis: as the volume says
};

/// Where the volume shows a tile. Positions are those of the tile's first frame, row and column.
struct TileCheck {
  std::string file;
  Vec3 stage_error_um;       ///< true minus nominal position
  bool measured = false;     ///< false: no part of the tile is shown alone and has content
  Vec3 misplacement_voxels;  ///< true position minus where the volume shows the tile
  double correlation = 0;    ///< of the volume with the truth there, after moving
};

/// How voxels at one distance from a tile's face differ from the truth, where tiles overlap.
struct SeamCheck {
  char axis = 'x';            ///< of the face
  std::int64_t distance = 0;  ///< from the face: 0, 1, 2 to 3, 4 to 7, 8 to 15, more (voxels)
  std::int64_t voxels = 0;
  double relative_error = 0;  ///< mean difference over mean expected grey level
};

/// Numbers over all compared voxels. Errors are volume minus expected grey levels.
struct TruthReport {
  std::int64_t voxels = 0;
  std::int64_t expected_covered = 0;  ///< voxels inside a tile
  std::int64_t missing = 0;  ///< of those, how many are 0 in the volume although more than noise is expected
  std::int64_t uncovered_nonzero = 0;  ///< voxels inside no tile that are not 0
  double bias = 0;
  double rms_error = 0;
  double correlation = 0;      ///< Pearson, of volume and expectation
  double error_in_sigmas = 0;  ///< RMS of error over expected noise: 1 is perfect
  double moved_rms_error = 0;  ///< the same with every tile moved to where it was found
  double moved_correlation = 0;
  double moved_error_in_sigmas = 0;
  std::vector<TileCheck> tiles;
  Vec3 misplacement_voxels;                ///< mean over the measured tiles
  double worst_misplacement = 0;           ///< largest along any axis of any tile, voxels
  double worst_relative_misplacement = 0;  ///< the same after subtracting the mean: what seams show
  std::optional<SeamCheck> worst_seam;     ///< nothing when tiles do not overlap
};

/// Compares `volume` with the truth of `tiles` (one channel, all of one geometry). A voxel is expected to
/// hold what the mosaic of the tiles at (the nearest voxel to) their nominal positions holds, were those
/// their true positions: so stage errors appear as misplacement. Memory does not depend on the size of the
/// volume, nor the result on the number of workers. Throws Error when the volume cannot be read, is empty, or
/// has another voxel size.
TruthReport check_truth(const std::vector<TrueTile>& tiles, const CheckedVolume& volume,
                        const TruthCheckSettings& settings, const Executor& executor, Progress& progress);

}  // namespace spim
