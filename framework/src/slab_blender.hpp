#pragma once
/// Computes voxels of a mosaic, slab by slab.

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "placed_tile.hpp"
#include "spim/image.hpp"

namespace spim::detail {

/// Reads the tiles that reach into a slab of planes and blends them. Keeps its buffers from call to call.
/// [one thread at a time]
class SlabBlender {
 public:
  /// Computes the voxels of `slab` (mosaic coordinates) into `out`.
  void read(std::span<const TileInMosaic> tiles, const Box& slab, VolumeView<std::uint16_t> out);

 private:
  /// What one tile gives to the slab.
  struct Contribution {
    const TileInMosaic* tile = nullptr;
    Box held;  ///< local voxels in `voxels`
    VolumeView<const std::uint16_t> voxels;
    TileInMosaic::Plane plane;  ///< the current one
  };
  /// A part of the current plane whose voxels all belong to the same tiles.
  struct Patch {
    IndexRange x;
    IndexRange y;
    std::int64_t z = 0;
  };

  void load(const Box& slab);
  void fill_plane(const Box& slab, std::int64_t z, VolumeView<std::uint16_t> out);
  void fill_band(const Patch& band, VolumeView<std::uint16_t> out);
  void find_covering(const Patch& patch);
  void fill_row(const Patch& patch, std::int64_t y, std::uint16_t* out);
  void copy_row(const Contribution& c, Index3 first, std::int64_t length, std::uint16_t* out);
  void blend_many(Index3 first, std::int64_t length, std::uint16_t* out);
  static const std::uint16_t* voxels_at(const Contribution& c, Index3 first) noexcept;
  static FaceDistance distance_in(const Contribution& c, std::int64_t y) noexcept;

  std::vector<Contribution> tiles_;
  std::vector<const Contribution*> covering_;
  std::vector<std::int64_t> x_cuts_, y_cuts_;
  std::vector<std::uint16_t> voxels_;
  std::vector<float> weighted_, weights_, values_;  ///< of one row
};

/// As many blenders as there are threads in read() at the same time.
class BlenderPool {
 public:
  /// A blender until the end of the scope.
  class Lease {
   public:
    explicit Lease(BlenderPool& pool) : pool_(&pool), blender_(pool.take()) {}
    ~Lease() { pool_->give_back(std::move(blender_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    SlabBlender& operator*() const noexcept { return *blender_; }

   private:
    BlenderPool* pool_;
    std::unique_ptr<SlabBlender> blender_;
  };

 private:
  std::unique_ptr<SlabBlender> take();
  void give_back(std::unique_ptr<SlabBlender> blender) noexcept;

  std::mutex mutex_;
  std::size_t made_ = 0;
  std::vector<std::unique_ptr<SlabBlender>> idle_;
};

}  // namespace spim::detail
