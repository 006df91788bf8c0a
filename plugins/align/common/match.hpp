#pragma once
/// One window of the fixed tile, found again in the moving tile.

#include <optional>

#include "common/confidence.hpp"
#include "common/overlap.hpp"
#include "common/patch.hpp"
#include "common/survey.hpp"

namespace spim::alignment {

/// How windows are compared. All lengths in voxels.
struct MatchSettings {
  Vec3 sigma;     ///< of the Gaussian that smooths both windows
  Index3 window;  ///< odd
  Index3 border;  ///< how far the first read lets the window move
};

/// The same for an overlap that is thin: no Gaussian is wider than a sixth of it, where the slant of its
/// faces counts, so that there is a place in its middle that no face blurs into; a window shrinks as its
/// smoothing does, which keeps the number of its cells, but not below 21 voxels.
MatchSettings fitted(MatchSettings settings, const Overlap& overlap);

/// Where the window was found.
struct Match {
  Vec3 position;  ///< of the moving tile, voxels of the fixed tile
  Evidence evidence;
};

/// Which window is looked for, and where.
struct Expectation {
  Index3 centre;    ///< of the window, voxels of the fixed tile
  Index3 position;  ///< of the moving tile, voxels of the fixed tile
};

/// How a search ended.
enum class Outcome {
  found,
  beyond,  ///< the correlation still rises at the border of what was searched
  nothing  ///< there is too little in common, or no maximum
};

struct Look {
  Outcome outcome = Outcome::nothing;
  Match match;         ///< when found
  Index3 continue_at;  ///< position of the moving tile, when beyond
  double second = -1;  ///< score of the best other maximum, when beyond
};

/// Looks for the window of `fixed` in `moving`, as far as the border from where it is expected.
Look look(const Patch& fixed, const Patch& moving, const Expectation& expected,
          const MatchSettings& settings);

/// The same, reading the moving tile: once, and again where the search comes to the border. Nothing when the
/// window is not found.
std::optional<Match> match(const Patch& fixed, TileView& moving, Expectation expected,
                           const MatchSettings& settings);

}  // namespace spim::alignment
