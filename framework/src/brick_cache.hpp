#pragma once
/// Parts of a volume that are kept in memory for reads to come.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "spim/host/volume_source.hpp"

namespace spim::detail {

/// Reads a volume brick by brick, each when it is first needed. The bricks that were used longest ago give
/// way when the memory is full.
class BrickCache {
 public:
  struct Settings {
    Index3 brick;              ///< voxels of a brick
    std::int64_t first_y = 0;  ///< where a row of bricks begins; along x and z one begins at 0
    std::int64_t bytes = 0;    ///< most memory, beyond the bricks in use
  };

  BrickCache(const VolumeSource& volume, const Settings& settings) : volume_(volume), settings_(settings) {}

  /// Calls visit(part, voxels) for parts of `box` (inside the volume) that make it up; the view shows the
  /// part and is valid during the call. Throws what reading throws. [any thread]
  template <class Visit>
  void read(const Box& box, Visit visit) {
    const Index3 n = settings_.brick, first = index_of(box.begin), last = index_of(box.end - Index3{1, 1, 1});
    Index3 at;
    for (at.z = first.z; at.z <= last.z; ++at.z)
      for (at.y = first.y; at.y <= last.y; ++at.y)
        for (at.x = first.x; at.x <= last.x; ++at.x) {
          const Index3 begin{at.x * n.x, at.y * n.y + settings_.first_y, at.z * n.z};
          const Box whole = intersect({begin, begin + n}, {{}, volume_.shape()});
          const Box part = intersect(whole, box);
          const std::shared_ptr<Brick> brick = loaded(at, whole);
          const auto voxels = dense_view<const std::uint16_t>(brick->voxels.get(), whole.size());
          const Index3 from = part.begin - whole.begin;
          visit(part, VolumeView<const std::uint16_t>{voxels.row(from.y, from.z) + from.x, part.size(),
                                                      voxels.stride_y, voxels.stride_z});
        }
  }

 private:
  using Voxels = std::unique_ptr<std::uint16_t[]>;
  struct Brick {
    std::mutex mutex;  ///< held while it is loaded
    Voxels voxels;
    std::uint64_t used = 0;
  };

  Index3 index_of(Index3 voxel) const noexcept;
  std::shared_ptr<Brick> loaded(Index3 at, const Box& whole);
  std::shared_ptr<Brick> find(Index3 at);
  void drop_oldest();
  Voxels buffer();

  const VolumeSource& volume_;
  Settings settings_;
  std::mutex mutex_;  ///< for all below
  std::uint64_t uses_ = 0;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, std::shared_ptr<Brick>> bricks_;
  std::vector<Voxels> spare_;  ///< of bricks that gave way: their pages need not be cleared again
};

}  // namespace spim::detail
