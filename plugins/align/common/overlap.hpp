#pragma once
/// Where two tiles both hold data, as far as the stage knows.

#include <cstdint>
#include <vector>

#include "common/draw.hpp"
#include "common/patch.hpp"
#include "spim/aligner.hpp"

namespace spim::alignment {

/// The voxels of the fixed tile that the moving tile shows, too, when it sits at the guess rounded to whole
/// voxels. [any thread]
class Overlap {
 public:
  /// Reads no voxels. An absurd guess (not finite, beyond 2^40 voxels) makes an empty overlap.
  explicit Overlap(const AlignTask& task);

  bool empty() const noexcept { return until_.empty() || until_.back() == 0; }
  /// Bounding box, in voxels of the fixed tile. Its faces along x are slanted when the tiles' are.
  const Box& box() const noexcept { return box_; }
  /// Position of the moving tile in voxels of the fixed one: the guess rounded.
  Index3 offset() const noexcept { return offset_; }
  /// A voxel of the overlap, all equally likely; the overlap is not empty.
  Index3 draw(Draw& draw) const;
  /// All its voxels.
  std::int64_t voxels() const noexcept { return empty() ? 0 : until_.back() * box_.size().y; }
  /// How thick it is along each axis, voxels; along x it is the mean of all rows.
  Vec3 thickness() const noexcept;
  /// How much farther in x it begins from one plane z to the next.
  double slant() const noexcept;
  /// Forgets what `patch` of the fixed tile holds more than `around` voxels in x beside the overlap.
  void cut(Patch& patch, std::int64_t around) const;
  /// Voxels of `window` inside the overlap.
  std::int64_t voxels_in(const Box& window) const;

 private:
  Index3 offset_;
  Box box_;
  std::vector<IndexRange> valid_;    ///< of each plane z from box_.begin.z
  std::vector<std::int64_t> until_;  ///< voxels of one row y in all planes up to and with this one
};

}  // namespace spim::alignment
