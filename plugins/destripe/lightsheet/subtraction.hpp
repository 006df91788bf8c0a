#pragma once
/// The last step: spreads the estimates over the frame and subtracts them.

#include <vector>

#include "percentile_grid.hpp"
#include "spim/image.hpp"

namespace spim::lightsheet {

/// Scratch memory of subtract(), kept from frame to frame.
class Subtraction {
 public:
  /// `background_factor` times the background is the most that is subtracted.
  explicit Subtraction(float background_factor) noexcept : factor_(background_factor) {}

  /// Replaces each sample I by I - min(I, max(0, min(stripe, factor · background))), both interpolated
  /// linearly from `grid`, which was estimated from this frame.
  void operator()(const PercentileGrid& grid, ImageView<float> frame);

 private:
  /// Values at the windows of an axis spread over its samples.
  static void spread(const float* values, const WindowAxis& axis, const double* weights,
                     std::vector<double>& out);

  float factor_;
  std::vector<double> stripe_weights_, background_weights_;
  std::vector<double> stripe_, upper_, lower_;
};

}  // namespace spim::lightsheet
