#pragma once
/// A chunk of a level above 0 that is waiting for the chunks it is made of.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "spim/image.hpp"

namespace spim::detail {

/// Counts bytes and remembers the most. [any thread]
class ByteMeter {
 public:
  void add(std::int64_t bytes) noexcept {
    const std::int64_t now = now_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t peak = peak_.load(std::memory_order_relaxed);
    while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
  }
  std::int64_t peak() const noexcept { return peak_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> now_{0};
  std::atomic<std::int64_t> peak_{0};
};

/// How children give their voxels to a parent.
enum class Merging {
  halved,  ///< each child computes its own part: groups of 2×2×2 lie within one child
  summed,  ///< groups straddle children (odd chunk shapes): sums are kept and divided at the end
};

class PyramidParent {
 public:
  struct Shape {
    Index3 size;       ///< voxels of the parent
    Index3 fine_size;  ///< voxels of the finer level that it stands for
    int children = 0;  ///< chunks of the finer level that exist in it
    Merging merging = Merging::halved;
  };

  PyramidParent(const Shape& shape, ByteMeter& meter);
  ~PyramidParent();
  PyramidParent(const PyramidParent&) = delete;
  PyramidParent& operator=(const PyramidParent&) = delete;

  /// Takes one child, whose voxels are `part` of fine_size; null data are zeros. True for the last one:
  /// voxels() are final then. [any thread]
  bool merge(const Box& part, VolumeView<const std::uint16_t> child);

  /// Null data when every child was zero. [after the last merge]
  VolumeView<const std::uint16_t> voxels() const noexcept;

 private:
  bool merge_halved(const Box& part, VolumeView<const std::uint16_t> child);
  bool merge_summed(const Box& part, VolumeView<const std::uint16_t> child);
  void allocate_voxels();
  void clear(const Box& part) noexcept;

  Shape shape_;
  ByteMeter* meter_;
  std::mutex mutex_;  ///< of everything below, but for voxels of different children, which never meet
  int missing_;
  std::int64_t held_bytes_ = 0;
  std::unique_ptr<std::uint16_t[]> voxels_;
  std::unique_ptr<std::uint32_t[]> sums_;
  std::vector<Box> zero_parts_;  ///< of children that came while there were no voxels yet
};

}  // namespace spim::detail
