#include "common/attempts.hpp"

#include <algorithm>
#include <numeric>

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

namespace {

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

struct Run {
  const Host* host;
  const Attempt* attempt;
  const std::vector<Place>* places;
  std::vector<std::size_t> order;
  std::vector<std::optional<ShiftSample>> results;
};

void run_one(void* context, std::int64_t index) {
  Run& run = *static_cast<Run*>(context);
  if (run.host->cancelled()) throw Error("interrupted");
  const std::size_t i = run.order[static_cast<std::size_t>(index)];
  run.results[i] = (*run.attempt)((*run.places)[i]);
}

}  // namespace

std::vector<Place> roomy_places(const Overlap& overlap, Index3 size, std::uint64_t seed, IndexRange indices) {
  std::vector<Place> places;
  for (std::int64_t index = indices.begin; index < indices.end; ++index) {
    Draw draw(seed, index);
    const Index3 centre = roomy_place(overlap, size, draw);
    places.push_back({centre, draw});
  }
  return places;
}

std::vector<std::optional<ShiftSample>> run_attempts(Host& host, const std::vector<Place>& places,
                                                     const Attempt& attempt) {
  Run run{&host, &attempt, &places, {}, {}};
  run.order.resize(places.size());
  std::iota(run.order.begin(), run.order.end(), std::size_t{0});
  std::stable_sort(run.order.begin(), run.order.end(),
                   [&](std::size_t a, std::size_t b) { return places[a].centre.z < places[b].centre.z; });
  run.results.resize(places.size());
  host.parallel_for(static_cast<std::int64_t>(places.size()), &run_one, &run);
  return std::move(run.results);
}

}  // namespace spim::alignment
