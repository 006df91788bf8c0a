#include "subtraction.hpp"

#include <algorithm>

#include "spim/clones.hpp"

namespace spim::lightsheet {

namespace {

/// Everything that one row needs; doubles, so that rounding the stripe to whole numbers goes as in exact
/// arithmetic.
struct Line {
  float* samples;
  std::int64_t count;
  const double* stripe;
  const double* upper;  ///< background at the grid rows around this one
  const double* lower;
  double weight;  ///< of the lower one
  float factor;
};

template <bool kWhole>
__attribute__((always_inline)) inline void subtract(const Line& line) {
  float* const samples = line.samples;
  const double *const stripe = line.stripe, *const upper = line.upper, *const lower = line.lower;
  const double weight = line.weight;
  const float factor = line.factor;
  for (std::int64_t i = 0; i < line.count; ++i) {
    // Whole numbers are below 2^24; those below zero count as zero, so that cutting off serves for floor().
    const auto along = kWhole ? static_cast<float>(static_cast<std::int32_t>(stripe[i] + 0.5))
                              : static_cast<float>(stripe[i]);
    const float most = factor * static_cast<float>(upper[i] + (lower[i] - upper[i]) * weight);
    const float either = along < most ? along : most;
    const float excess = either > 0 ? either : 0;
    samples[i] -= samples[i] < excess ? samples[i] : excess;
  }
}

SPIM_CLONES void subtract_whole(const Line& line) {
  subtract<true>(line);
}
SPIM_CLONES void subtract_fractions(const Line& line) {
  subtract<false>(line);
}

SPIM_CLONES void ramp(double first, double rise, const double* weights, std::int64_t count, double* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = first + rise * weights[i];
}

void weights_of(const WindowAxis& axis, std::vector<double>& weights) {
  weights.resize(static_cast<std::size_t>(axis.extent()));
  for (std::int64_t i = 0; i < axis.extent(); ++i) weights[static_cast<std::size_t>(i)] = axis.weight(i);
}

}  // namespace

void Subtraction::spread(const float* values, const WindowAxis& axis, const double* weights,
                         std::vector<double>& out) {
  out.resize(static_cast<std::size_t>(axis.extent()));
  const std::int64_t pieces = std::max<std::int64_t>(1, axis.count() - 1);
  for (std::int64_t i = 0; i < pieces; ++i) {
    // The last piece ends with the place of the last window, the axis' last sample.
    const std::int64_t begin = axis.place(i), end = i + 1 == pieces ? axis.extent() : axis.place(i + 1);
    const double first = values[i], next = axis.count() > 1 ? values[i + 1] : first;
    ramp(first, next - first, weights + begin, end - begin, out.data() + begin);
  }
}

void Subtraction::operator()(const PercentileGrid& grid, ImageView<float> frame) {
  const WindowAxis& rows = grid.background_rows();
  weights_of(grid.stripe_axis(), stripe_weights_);
  weights_of(grid.background_columns(), background_weights_);
  const auto spread_background = [&](std::int64_t i, std::vector<double>& out) {
    spread(grid.background(std::min(i, rows.count() - 1)), grid.background_columns(),
           background_weights_.data(), out);
  };
  std::int64_t spread_row = -1;
  for (std::int64_t y = 0; y < frame.rows; ++y) {
    if (rows.before(y) != spread_row) {
      spread_row = rows.before(y);
      spread_background(spread_row, upper_);
      spread_background(spread_row + 1, lower_);
    }
    spread(grid.stripes_of_row(y), grid.stripe_axis(), stripe_weights_.data(), stripe_);
    const Line line{frame.row(y),  frame.columns,  stripe_.data(), upper_.data(),
                    lower_.data(), rows.weight(y), factor_};
    if (grid.whole())
      subtract_whole(line);
    else
      subtract_fractions(line);
  }
}

}  // namespace spim::lightsheet
