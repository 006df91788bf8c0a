#pragma once
/// The whole alignment: plan the pairs, measure each with an aligner, ask a second one where that is needed,
/// solve, judge.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "spim/aligner.hpp"
#include "spim/host/alignment.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/progress.hpp"
#include "spim/host/solve.hpp"
#include "spim/host/volume_source.hpp"

namespace spim {

namespace detail {
class BrickCache;
}

/// What of a tile is kept in memory when many windows of one overlap are read.
struct KeptPart {
  IndexRange rows;         ///< y that windows lie in
  double voxels = 0;       ///< of the overlap
  double columns = 0;      ///< of the overlap along a row
  std::int64_t bytes = 0;  ///< most memory; 0: every window is read for itself
};

/// A volume as aligners see it: float32, NaN where `region` (of the volume's shape) holds no data. [any
/// thread]
class VolumeTileView final : public TileView {
 public:
  VolumeTileView(std::shared_ptr<const VolumeSource> volume, const ValidRegion& region, KeptPart kept = {});
  ~VolumeTileView();
  VolumeTileView(const VolumeTileView&) = delete;
  VolumeTileView& operator=(const VolumeTileView&) = delete;

  Index3 shape() const override { return region_.shape; }
  IndexRange valid_x(std::int64_t z) const override { return region_.valid_x(z); }
  void read(const Box& box, VolumeView<float> out) override;
  /// Before any read of it. [one thread]
  void expect(std::int64_t voxels) override;

 private:
  void convert(VolumeView<const std::uint16_t> raw, const Box& box, VolumeView<float> out) const;

  std::shared_ptr<const VolumeSource> volume_;
  ValidRegion region_;
  KeptPart kept_;
  std::unique_ptr<detail::BrickCache> cache_;  ///< none: windows are read one by one
};

/// Opens tile number i (of the list given to align_tiles). [any thread]
using TileOpener = std::function<std::shared_ptr<const VolumeSource>(std::size_t tile)>;

/// An aligner to ask, usable from any thread (see instances.hpp).
struct NamedAligner {
  std::string id;
  std::shared_ptr<Aligner> aligner;
};

struct AlignSettings {
  Vec3 voxel_um;       ///< of the aligned level
  Vec3 full_voxel_um;  ///< of full resolution; 0: the same
  ConsensusSettings consensus;
  SolveSettings solve;
  double least_overlap_voxels = 4;
  std::size_t open_tiles = 64;  ///< most tiles that are open at once, beyond those being read
  /// Most memory for voxels that several windows need; they are read again where it does not suffice.
  std::int64_t kept_bytes = std::int64_t{384} << 20;
  std::uint64_t seed = 1;
};

/// Aligns `tiles` (at least one). The first of `aligners` measures every pair; the others, in their order,
/// those pairs where it finds no consensus or where nothing else confirms it. The result is the same for any
/// number of workers. Throws what opening, reading and aligning throw.
AlignmentResult align_tiles(const std::vector<TileToAlign>& tiles, const TileOpener& open,
                            const std::vector<NamedAligner>& aligners, const AlignSettings& settings,
                            const Executor& executor, Progress& progress);

}  // namespace spim
