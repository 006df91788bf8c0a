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

class VolumeSource {
 public:
  virtual ~VolumeSource() = default;

  virtual Index3 shape() const = 0;
  virtual Vec3 voxel_um() const = 0;
  virtual PixelType type() const = 0;
  /// Where the data are; voxels outside read as zero.
  virtual ValidRegion region() const = 0;

  /// What prepare() costs beside what it keeps.
  virtual LoadCost cost() const { return {}; }
  /// So that a sweep can walk through whole cells.
  virtual Grain grain() const { return {}; }

  /// Bytes that prepare(boxes) would keep in memory.
  virtual std::int64_t memory_for(std::span<const Box> boxes) const = 0;

  /// Brings everything that reads inside `boxes` will touch into memory, on all workers, reusing what is
  /// there, and drops the rest. An empty list drops everything. Boxes may reach outside the shape. [one
  /// thread, while nobody reads]
  virtual void prepare(std::span<const Box> boxes, const Executor& executor) = 0;

  /// Computes the voxels of `box` (inside the shape) into `out`, of size box.size(). From memory where
  /// prepared, else by reading what is missing. [any thread]
  virtual void read(const Box& box, VolumeView<std::uint16_t> out) const = 0;

  /// False when it is known without reading that every voxel of `box` is zero. The default asks region().
  /// [any thread]
  virtual bool may_hold_data(const Box& box) const;
};

}  // namespace spim
