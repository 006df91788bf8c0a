#pragma once
/// A simulated stack as an aligner sees it: deskewed, in memory.

#include <vector>

#include "phantom/simulated_stack.hpp"
#include "spim/aligner.hpp"

namespace spim::test {

/// Voxel (x, y, z) is row y and column z of frame x − z: the step between frames must be as long as a column
/// is deep, so that nothing is interpolated.
class SimulatedTile final : public TileView {
 public:
  /// Takes all frames. Throws Error when the shear is not 1 or the direction not +1.
  explicit SimulatedTile(const SimulatedStack& stack);

  Index3 shape() const override { return {frames_ + columns_ - 1, rows_, columns_}; }
  IndexRange valid_x(std::int64_t z) const override { return {z, z + frames_}; }
  void read(const Box& box, VolumeView<float> out) override;

  Vec3 voxel_um() const noexcept { return voxel_um_; }

 private:
  std::int64_t frames_, rows_, columns_;
  Vec3 voxel_um_;
  std::vector<std::uint16_t> pixels_;  ///< frame, column, row: neighbours in y lie together
};

/// Two stacks of the same tissue whose overlap has the extents that are asked for.
struct TilePair {
  SimulatedStack fixed, moving;
  Vec3 guess_voxels;
  Vec3 error_voxels;  ///< what an aligner should find
};

/// A pair of which the second is `away` voxels from the first according to the stage, and `error` further in
/// truth. `common` says everything else.
TilePair tile_pair(const SimulatedStack& common, Vec3 away_voxels, Vec3 error_voxels);

}  // namespace spim::test
