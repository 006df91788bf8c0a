#pragma once
/// How many voxels several boxes cover together.

#include <cstdint>
#include <vector>

#include "spim/geometry.hpp"

namespace spim::detail {

/// Voxels that lie in at least one of `boxes`. Quick for what a sweep asks: many boxes along z of which few
/// overlap.
std::int64_t union_voxels(std::vector<Box> boxes);

}  // namespace spim::detail
