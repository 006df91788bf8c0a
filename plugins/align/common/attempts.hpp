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

/// A place of the overlap around which a window of `size` holds as much of the overlap as can be had: the
/// best of a few random ones, or the first where nothing is missing.
Index3 roomy_place(const Overlap& overlap, Index3 size, Draw& draw);

using Attempt = std::function<std::optional<ShiftSample>(std::int64_t index)>;

/// The results of attempt(i) for all i of `indices`, in that order, computed on the workers of the host. The
/// first exception is rethrown; throws Error when the user asked to stop.
std::vector<std::optional<ShiftSample>> run_attempts(Host& host, IndexRange indices, const Attempt& attempt);

}  // namespace spim::alignment
