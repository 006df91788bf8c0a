#pragma once
/// One window of the fixed tile, found again in the moving tile.

#include <optional>

#include "common/confidence.hpp"
#include "common/patch.hpp"
#include "common/survey.hpp"

namespace spim::alignment {

/// How windows are compared. All lengths in voxels.
struct MatchSettings {
  Vec3 sigma;     ///< of the Gaussian that smooths both windows
  Index3 window;  ///< odd
  Index3 border;  ///< how far the first read lets the window move
};

/// Where the window was found.
struct Match {
  Vec3 position;  ///< of the moving tile, voxels of the fixed tile
  Evidence evidence;
};

/// Looks for the window of `fixed` around `centre` in `moving`, which is expected at `position`. Reads the
/// moving tile once, and again where the search comes to the border of what was read. Nothing when there is
/// too little in common or no maximum.
std::optional<Match> match(const Patch& fixed, TileView& moving, Index3 centre, Index3 position,
                           const MatchSettings& settings);

/// Voxels around a window that its smoothing makes good use of.
Index3 smoothing_margin(Vec3 sigma);

}  // namespace spim::alignment
