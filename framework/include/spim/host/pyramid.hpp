#pragma once
/// Levels of lower resolution, computed from memory while the chunks of the first level pass by.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "spim/volume_writer.hpp"

namespace spim {

namespace detail {
class PyramidParent;
class ByteMeter;
}  // namespace detail

/// Takes every chunk of level 0 of one channel once and writes the chunks of all levels, each as soon as the
/// chunks it is made of are in. A voxel of level l + 1 is the mean of the up to 2×2×2 voxels of level l that
/// exist, rounded to nearest, halves up. Chunks whose voxels are all zero are given to write_zero() and need
/// no memory.
class Pyramid {
 public:
  /// Says whether a chunk of a level above 0 is to be made: false where not all that it is made of will come.
  using Choice = std::function<bool(const ChunkAddress&)>;

  /// `writer` has begun `spec`; the chunks are those of `channel`. Throws Error when spec has no voxels, no
  /// chunk or no level. `makes` (any thread) is asked for each chunk above level 0; without it all are made.
  Pyramid(VolumeWriter& writer, const VolumeSpec& spec, std::int32_t channel = 0, Choice makes = {});
  ~Pyramid();
  Pyramid(const Pyramid&) = delete;
  Pyramid& operator=(const Pyramid&) = delete;

  /// Writes chunk `index` of level 0 and hands it on. `voxels` is dense and clipped at the edge; a null data
  /// pointer says that all are zero (others are looked through for that). Whoever completes a parent writes
  /// it before this returns. [any thread]
  void add(Index3 index, VolumeView<const std::uint16_t> voxels);

  /// Chunks handed to the writer so far, of all levels, and how many of them as zero. [any thread]
  std::int64_t chunks() const noexcept { return chunks_.load(std::memory_order_relaxed); }
  std::int64_t zero_chunks() const noexcept { return zero_chunks_.load(std::memory_order_relaxed); }
  /// The most bytes that chunks of the levels above 0 have held at one time. [any thread]
  std::int64_t peak_bytes() const noexcept;

 private:
  struct AddressHash {
    std::size_t operator()(const ChunkAddress& a) const noexcept;
  };
  struct SameAddress {
    bool operator()(const ChunkAddress& a, const ChunkAddress& b) const noexcept {
      return a.level == b.level && a.index == b.index;
    }
  };
  using Parent = detail::PyramidParent;

  void write(const ChunkAddress& address, VolumeView<const std::uint16_t> voxels);
  std::shared_ptr<Parent> parent_at(const ChunkAddress& address);
  /// The parent of `child` when `child` was the last that it waited for, else null.
  std::shared_ptr<Parent> merge_into_parent(const ChunkAddress& child,
                                            VolumeView<const std::uint16_t> voxels);

  VolumeWriter* writer_;
  VolumeSpec spec_;
  std::int32_t channel_;
  Choice makes_;
  std::unique_ptr<detail::ByteMeter> meter_;
  std::mutex mutex_;  ///< of parents_
  std::unordered_map<ChunkAddress, std::shared_ptr<Parent>, AddressHash, SameAddress> parents_;
  std::atomic<std::int64_t> chunks_{0};
  std::atomic<std::int64_t> zero_chunks_{0};
};

/// Computes chunk `address` of a level above 0 from the finer chunks that `writer` has stored, the same
/// voxels as a Pyramid makes of them; null data when all are zero. [any thread that `writer` allows]
class StoredParent {
 public:
  StoredParent(VolumeWriter& writer, const VolumeSpec& spec, const ChunkAddress& address);
  ~StoredParent();
  VolumeView<const std::uint16_t> voxels() const noexcept;

 private:
  std::unique_ptr<detail::ByteMeter> meter_;
  std::unique_ptr<detail::PyramidParent> parent_;
};

/// Bytes that a chunk of `level` (≥ 1) of `spec` holds while it waits for its children.
std::int64_t parent_bytes(const VolumeSpec& spec, std::int32_t level) noexcept;

}  // namespace spim
