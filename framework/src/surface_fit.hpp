#pragma once
/// A surface A x² + B x + C y + D through points of which many are wrong and all are noisy.

#include <cstdint>
#include <vector>

#include "spim/host/executor.hpp"
#include "spim/host/illumination.hpp"

namespace spim::detail {

/// Light measured at a pixel whose column and row are given as −1 … 1 over the frame.
struct SurfacePoint {
  float u = 0;
  float w = 0;
  float light = 0;  ///< above 0
};

struct SurfaceFitSettings {
  std::int64_t rows = 0;  ///< of the frame
  std::int64_t columns = 0;
  std::int64_t min_samples = 20;  ///< points of a trial
  std::uint64_t seed = 0;
  double light_step = 0;  ///< between two values that the light of a point can have
};

struct SurfaceFit {
  Surface surface;       ///< of columns and rows
  double agreement = 0;  ///< share of the points whose light is near the surface
  /// Largest variance of the surface at the edge of the frame, in units of a point's own over the number of
  /// points: 12 where points are everywhere, thousands where the surface is guessed from a corner of the
  /// frame, infinite when the points do not decide it.
  double leverage = 0;
};

/// At least `min_samples` points, and that at least 4.
SurfaceFit fit_surface(const std::vector<SurfacePoint>& points, const SurfaceFitSettings& settings,
                       const Executor& executor);

}  // namespace spim::detail
