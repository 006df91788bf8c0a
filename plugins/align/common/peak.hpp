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

/// Refines `summit` of the correlator of `fixed` and `moving`. The moving window is resampled (cubic
/// convolution, harmless on lattices this fine) until the paraboloid through the 27 correlations around it
/// has its top at the sampled shift: a symmetric peak is then found without bias, whatever its shape. Nothing
/// when the summit is no maximum of the continuous correlation, or on the border of what is known.
std::optional<Peak> refine(const Cells& fixed, const Cells& moving, const Summit& summit);

}  // namespace spim::alignment
