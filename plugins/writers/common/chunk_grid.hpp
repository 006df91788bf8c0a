#pragma once
/// The regular grid of chunks that a level of a volume is cut into.

#include <cstdint>
#include <string_view>

#include "spim/geometry.hpp"
#include "spim/image.hpp"

namespace spim::chunked {

/// A chunk holds at most this many bytes before encoding: the limit of one Blosc frame.
inline constexpr std::int64_t kLargestChunkBytes = (std::int64_t{1} << 31) - 1 - 16;

/// A level of `shape` voxels in chunks of `chunk` voxels; those at the far edges stick out.
struct ChunkGrid {
  Index3 shape;
  Index3 chunk;

  constexpr Index3 count() const noexcept { return ceil_div(shape, chunk); }
  /// The voxels of chunk `index` that exist.
  constexpr Box box(Index3 index) const noexcept {
    const Index3 begin{index.x * chunk.x, index.y * chunk.y, index.z * chunk.z};
    return {begin, min(begin + chunk, shape)};
  }
  /// Indices of the chunks that `voxels` (not empty, inside the shape) touches.
  constexpr Box touching(const Box& voxels) const noexcept {
    return {{voxels.begin.x / chunk.x, voxels.begin.y / chunk.y, voxels.begin.z / chunk.z},
            ceil_div(voxels.end, chunk)};
  }
};

/// Throws Error unless every extent is positive and no product of them overflows, however the numbers were
/// made up; `subject` names the file.
void check_grid(const ChunkGrid& grid, std::int64_t bytes_per_voxel, std::string_view subject);

/// Throws Error unless `box` lies inside `shape` and `out` has its size.
void check_request(Index3 shape, const Box& box, Index3 out);

/// Calls visit(Index3) for each index of `range`, x fastest.
template <class Visit>
void for_each_index(const Box& range, Visit&& visit) {
  for (std::int64_t z = range.begin.z; z < range.end.z; ++z)
    for (std::int64_t y = range.begin.y; y < range.end.y; ++y)
      for (std::int64_t x = range.begin.x; x < range.end.x; ++x) visit(Index3{x, y, z});
}

}  // namespace spim::chunked
