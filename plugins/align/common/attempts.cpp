#include "common/attempts.hpp"

#include "spim/error.hpp"

namespace spim::alignment {

Box window_around(Index3 centre, Index3 size) {
  const Index3 begin = centre - Index3{size.x / 2, size.y / 2, size.z / 2};
  return {begin, begin + size};
}

Index3 grown(Index3 size, Index3 margin) {
  return size + Index3{2 * margin.x, 2 * margin.y, 2 * margin.z};
}

Vec3 in_voxels(double um, Vec3 voxel_um) {
  return {um / voxel_um.x, um / voxel_um.y, um / voxel_um.z};
}

Index3 roomy_place(const Overlap& overlap, Index3 size, Draw& draw) {
  constexpr int kDraws = 16;
  Index3 best;
  std::int64_t most = -1;
  for (int i = 0; i < kDraws && most < count(size); ++i) {
    const Index3 centre = overlap.draw(draw);
    const std::int64_t voxels = overlap.voxels_in(window_around(centre, size));
    if (voxels > most) {
      most = voxels;
      best = centre;
    }
  }
  return best;
}

namespace {

struct Run {
  const Host* host;
  const Attempt* attempt;
  std::int64_t first;
  std::vector<std::optional<ShiftSample>> results;
};

void run_one(void* context, std::int64_t index) {
  Run& run = *static_cast<Run*>(context);
  if (run.host->cancelled()) throw Error("interrupted");
  run.results[static_cast<std::size_t>(index)] = (*run.attempt)(run.first + index);
}

}  // namespace

std::vector<std::optional<ShiftSample>> run_attempts(Host& host, IndexRange indices, const Attempt& attempt) {
  Run run{&host, &attempt, indices.begin, {}};
  run.results.resize(static_cast<std::size_t>(indices.size()));
  host.parallel_for(indices.size(), &run_one, &run);
  return std::move(run.results);
}

}  // namespace spim::alignment
