#pragma once
/// Measuring at many places of an overlap, with results that depend on nothing but their number.

#include <functional>
#include <optional>
#include <vector>

#include "common/draw.hpp"
#include "common/overlap.hpp"

namespace spim::alignment {

/// `size` voxels with `centre` in the middle.
Box window_around(Index3 centre, Index3 size);
/// `size` with `margin` on both sides of each axis.
Index3 grown(Index3 size, Index3 margin);
/// The same length in voxels of each axis.
Vec3 in_voxels(double um, Vec3 voxel_um);

/// Where something is tried, and random numbers for the try.
struct Place {
  Index3 centre;
  Draw draw;
};

/// One place for each of `indices`, which with the seed decide it: around it a window of `size` holds as much
/// of the overlap as can be had. It is the best of a few random ones, or the first where nothing is missing.
std::vector<Place> roomy_places(const Overlap& overlap, Index3 size, std::uint64_t seed, IndexRange indices);

using Attempt = std::function<std::optional<ShiftSample>(const Place& place)>;

/// The results of attempt(p) for all `places`, in their order, computed on the workers of the host from low z
/// to high z: windows that share voxels follow each other. The first exception is rethrown; throws Error when
/// the user asked to stop.
std::vector<std::optional<ShiftSample>> run_attempts(Host& host, const std::vector<Place>& places,
                                                     const Attempt& attempt);

}  // namespace spim::alignment
