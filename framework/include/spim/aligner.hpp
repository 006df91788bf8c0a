#pragma once
/// The interface of an alignment method.

#include <cstdint>

#include "spim/host.hpp"
#include "spim/image.hpp"
#include "spim/plugin_kind.hpp"

namespace spim {

/// Voxels of one tile, read on demand. [any thread]
class TileView {
 public:
  /// Shape of the tile, voxels.
  virtual Index3 shape() const = 0;
  /// Where the rows of plane z hold data, inside [0, shape().x); the same for every y. Known without reading,
  /// so that windows can be placed inside the slanted faces of a deskewed stack. 0 ≤ z < shape().z.
  virtual IndexRange valid_x(std::int64_t z) const = 0;
  /// Reads `box` (inside the shape) as float32 into `out`; voxels outside valid_x() are NaN. One
  /// call for all that is wanted of a window costs far less than several: a deskewed stack reads whole
  /// frames.
  virtual void read(const Box& box, VolumeView<float> out) = 0;
  /// Says before the first read that about `voxels` will be read in all, in windows spread over the overlap.
  /// When that is more than the overlap holds the host reads its parts once and keeps them for the windows to
  /// come; windows that follow each other along z then need the least memory. Changes no result.
  virtual void expect(std::int64_t voxels) { static_cast<void>(voxels); }

 protected:
  ~TileView() = default;
};

/// Two overlapping tiles. A voxel p of `fixed` is expected at p - guess in `moving`.
struct AlignTask {
  TileView* fixed = nullptr;
  TileView* moving = nullptr;
  Vec3 guess_voxels;  ///< nominal position of `moving` in the voxel frame of `fixed`
  Vec3 voxel_um;
  std::uint64_t seed = 0;
};

/// One estimate: `moving` sits at guess + shift. All lengths in voxels.
struct ShiftSample {
  Vec3 at;  ///< where in `fixed` it was measured
  Vec3 shift;
  double correlation = 0;  ///< Pearson, -1 … 1, at that shift
  double confidence = 0;   ///< 0 … 1
};

/// Receives the estimates of one task. [the calling thread, during the call only]
class ShiftSink {
 public:
  virtual void add(const ShiftSample& sample) = 0;

 protected:
  ~ShiftSink() = default;
};

/// Estimates how far a pair of tiles is from where the stage says. Created with (Host&, const Options&).
class Aligner {
 public:
  static constexpr Kind kKind = Kind::aligner;
  virtual ~Aligner() = default;

  /// Adds any number of samples to `sink`; none means that the overlap tells nothing. The same task gives the
  /// same samples whatever the number of workers. [one thread per instance, or any if declared reentrant]
  virtual void align(const AlignTask& task, ShiftSink& sink) = 0;
};

}  // namespace spim
