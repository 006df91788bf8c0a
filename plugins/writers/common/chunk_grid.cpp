#include "common/chunk_grid.hpp"

#include <fmt/format.h>

#include "spim/error.hpp"

namespace spim::chunked {

namespace {

/// x·y·z·scale, or −1 when that exceeds `limit` or a factor is not positive.
std::int64_t product(Index3 v, std::int64_t scale, std::int64_t limit) {
  if (v.x <= 0 || v.y <= 0 || v.z <= 0) return -1;
  std::int64_t p = scale;
  for (const std::int64_t factor : {v.x, v.y, v.z})
    if (__builtin_mul_overflow(p, factor, &p) || p > limit) return -1;
  return p;
}

}  // namespace

void check_grid(const ChunkGrid& grid, std::int64_t bytes_per_voxel, std::string_view subject) {
  constexpr std::int64_t kLargestVolume = std::int64_t{1} << 55;
  if (product(grid.shape, bytes_per_voxel, kLargestVolume) < 0)
    throw Error(
        fmt::format("{} is {} x {} x {} voxels; each extent must be at least 1 and the whole below {} bytes",
                    subject, grid.shape.x, grid.shape.y, grid.shape.z, kLargestVolume));
  if (product(grid.chunk, bytes_per_voxel, kLargestChunkBytes) < 0)
    throw Error(
        fmt::format("{} has chunks of {} x {} x {} voxels; each extent must be at least 1 and a chunk at "
                    "most {} bytes",
                    subject, grid.chunk.x, grid.chunk.y, grid.chunk.z, kLargestChunkBytes));
}

void check_request(Index3 shape, const Box& box, Index3 out) {
  if (!contains({{0, 0, 0}, shape}, box) || box.size() != out)
    throw Error(
        fmt::format("voxels ({}, {}, {}) to ({}, {}, {}) were asked for in a view of {} x {} x {}; the "
                    "level has {} x {} x {}",
                    box.begin.x, box.begin.y, box.begin.z, box.end.x, box.end.y, box.end.z, out.x, out.y,
                    out.z, shape.x, shape.y, shape.z));
}

}  // namespace spim::chunked
