#pragma once
/// Where exactly a maximum of the correlation lies, to fractions of a cell.

#include <optional>

#include "common/survey.hpp"

namespace spim::alignment {

/// The correlation near its maximum: r(shift + d) ≈ correlation − ½ dᵀ·A·d, lengths in cells.
struct Peak {
  Vec3 shift;
  double correlation = 0;
  double curvature[3][3] = {};  ///< A, positive definite
};

/// Cells that the moving window must have on each side beyond the fixed one.
inline constexpr std::int64_t kRefineReach = 3;

/// Finds the maximum near shift 0 of the correlation of `fixed` and `moving`, which has kRefineReach cells
/// more on each side. The moving window is resampled (cubic convolution, harmless on lattices this fine)
/// until the paraboloid through the 27 correlations around it has its top at the sampled shift: a symmetric
/// peak is then found without bias, whatever its shape. Nothing when there is no maximum within 1.5 cells.
std::optional<Peak> refine(const Cells& fixed, const Cells& moving);

}  // namespace spim::alignment
