#pragma once
/// How well two tiles agree where they overlap, measured without anything of the aligners: the displacement
/// comes from least squares on the gradients of the grey levels (Lucas and Kanade 1981).

#include <cstdint>

#include "spim/aligner.hpp"
#include "spim/geometry.hpp"

namespace spim {

struct SeamSettings {
  std::int64_t blocks_per_axis = 3;  ///< places that are looked at along each axis of an overlap
  std::int64_t search_voxels = 8;    ///< how far a displacement is looked for along each axis
};

/// What the blocks of one overlap say together.
struct SeamAgreement {
  std::int64_t blocks = 0;      ///< that hold content in both tiles
  std::int64_t unmatched = 0;   ///< of those: no displacement inside the search makes them alike
  Vec3 displacement_voxels;     ///< median of the matched: how far the second tile would still have to move
  double correlation = 0;       ///< median: Pearson, of the band-passed tiles as they are placed
  double brightness_ratio = 0;  ///< median: second over first tile, dark level included

  bool measured() const noexcept { return blocks > unmatched; }
  /// True when most of the content fits nowhere inside the search.
  bool lost() const noexcept { return blocks > 0 && 2 * unmatched > blocks; }
};

/// Voxel (0,0,0) of `moving` is taken to be at `offset` of the voxel frame of `fixed`. Memory is that of two
/// blocks of some 50³ voxels. Depends on nothing but the arguments. [any thread]
SeamAgreement check_seam(TileView& fixed, TileView& moving, Vec3 offset, const SeamSettings& settings);

}  // namespace spim
