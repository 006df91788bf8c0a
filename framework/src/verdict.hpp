#pragma once
/// What a solution is worth, in words.

#include "spim/host/solve.hpp"

namespace spim::detail {

/// Fills verdict and findings, and the remarks of tiles, from everything else in `result`.
void judge(AlignmentResult& result, const SolveSettings& settings);

}  // namespace spim::detail
