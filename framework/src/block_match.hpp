#pragma once
/// How one block of voxels lies to another.

#include <optional>
#include <vector>

#include "spim/host/overlap_block.hpp"

namespace spim::detail {

/// What a block says.
struct BlockMatch {
  double correlation = 0;  ///< as placed, after band-passing
  double brightness_ratio = 0;
  /// Where `moving` shows what `fixed` shows, minus where it is placed; nothing when it is nowhere.
  std::optional<Vec3> displacement_voxels;
};

/// Compares the inner part of a block, `margin` voxels from its faces. Nothing when it holds too few voxels
/// or nothing but noise.
std::optional<BlockMatch> match_block(const OverlapBlock& block, std::int64_t margin);

}  // namespace spim::detail
