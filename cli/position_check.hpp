#pragma once
/// An alignment compared with the true positions of a simulation.

#include <filesystem>
#include <vector>

#include "spim/host/simulation.hpp"

namespace spim::cli {

/// Errors of positions in voxels, after removing their mean: overlaps cannot tell where everything is.
struct PositionErrors {
  Vec3 rms;
  double worst = 0;  ///< largest along any axis of any tile
};

struct PositionCheck {
  PositionErrors before;      ///< of the stage
  PositionErrors after;       ///< of the alignment
  std::vector<Vec3> of_tile;  ///< after, voxels
  Vec3 mean_um;               ///< true minus aligned position: what overlaps cannot tell
};

/// Reads the alignment `file` of `tiles` (of one channel), and moves their nominal positions to where it says
/// they are. Throws Error naming tiles that it does not know.
PositionCheck apply_alignment(const std::filesystem::path& file, std::vector<TrueTile>& tiles);

}  // namespace spim::cli
