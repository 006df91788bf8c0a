#pragma once
/// Where a volume shows a tile, found by comparing it with the truth.

#include "spim/host/truth_check.hpp"
#include "truth_model.hpp"

namespace spim::detail {

struct Misplacement {
  bool measured = false;
  Vec3 shift_um;  ///< true position minus where the volume shows the tile
  double correlation = 0;
};

struct MisplacementSearch {
  std::int64_t voxels = 10;  ///< per axis and direction
  std::uint64_t seed = 1;
};

/// Looks at windows which only tile `tile` covers: the best whole-voxel shift by normalised correlation over
/// all windows, then Gauss-Newton steps of a weighted least-squares fit for the fraction. [any thread]
Misplacement find_misplacement(const TruthModel& model, std::size_t tile, VolumeReader& volume,
                               const MisplacementSearch& search);

}  // namespace spim::detail
