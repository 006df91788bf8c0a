#pragma once
/// A volume that is computed or read box by box: a deskewed stack, a converted tile, a mosaic.

#include <cstdint>
#include <span>

#include "spim/host/executor.hpp"
#include "spim/host/load_cost.hpp"
#include "spim/host/oblique_geometry.hpp"
#include "spim/image.hpp"

namespace spim {

/// The cells in which a source gets at its voxels, whole ones at a time: the chunks of a stored volume. They
/// begin at first + k·size on each axis, 0 ≤ first < size. A size of 0 says that there are none.
struct Grain {
  Index3 size;
  Index3 first;
};

/// Who is going to read what tells it in advance: `boxes` next, all of them and whatever follows inside
/// `lane`. A source keeps of each frame, say, all that the lane may touch, so that it gets at it once;
/// memory_for() counts that. What a new announcement does not need any more is dropped.
///
///     for (i = 0, n = source.plan_loads(lane, boxes); i < n; ++i) source.load(i);   // in any order,
///     anywhere source.read(box, out);                                                        // of those in
///     boxes
class VolumeSource {
 public:
  virtual ~VolumeSource() = default;

  virtual Index3 shape() const = 0;
  virtual Vec3 voxel_um() const = 0;
  virtual PixelType type() const = 0;
  /// Where the data are; voxels outside read as zero.
  virtual ValidRegion region() const = 0;

  /// What load() costs beside what it keeps.
  virtual LoadCost cost() const { return {}; }
  /// Frames that are loaded as a whole by who goes through `lane` step by step, each once; 0 where a part of
  /// a frame costs no more than its share.
  virtual std::int64_t whole_frames_in(const Box& lane) const;
  /// So that a sweep can walk through whole cells.
  virtual Grain grain() const { return {}; }

  /// Bytes that would be in memory after plan_loads(lane, boxes) and all its loads.
  virtual std::int64_t memory_for(const Box& lane, std::span<const Box> boxes) const = 0;

  /// Keeps of what is in memory what reads inside `boxes` will touch and drops the rest; returns how many
  /// loads bring what is missing. Boxes, and the lane around them, may reach outside the shape; no boxes drop
  /// everything. [one thread, while nobody reads or loads]
  virtual std::int64_t plan_loads(const Box& lane, std::span<const Box> boxes) = 0;

  /// Load number `i` of the last plan; each once. What throws is missing still, for the next plan. [any
  /// thread, while others load, or read boxes of the plan before that are in this one too]
  virtual void load(std::int64_t i) = 0;

  /// Plans and does all loads, on all workers. [one thread, while nobody reads]
  void prepare(const Box& lane, std::span<const Box> boxes, const Executor& executor);
  /// The same with no more in view than `boxes`.
  void prepare(std::span<const Box> boxes, const Executor& executor);
  std::int64_t memory_for(std::span<const Box> boxes) const;

  /// Computes the voxels of `box` (inside the shape) into `out`, of size box.size(). From memory where
  /// loaded, else by reading what is missing. [any thread]
  virtual void read(const Box& box, VolumeView<std::uint16_t> out) const = 0;

  /// False when it is known without reading that every voxel of `box` is zero. The default asks region().
  /// [any thread]
  virtual bool may_hold_data(const Box& box) const;
};

}  // namespace spim
