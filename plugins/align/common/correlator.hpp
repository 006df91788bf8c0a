#pragma once
/// Pearson's correlation of two windows at any shift of whole cells.

#include <vector>

#include "common/cells.hpp"

namespace spim::alignment {

/// Two windows on lattices of the same step. Cell c of `fixed` meets cell c + reach − k of `moving` at shift
/// k; moving.size = fixed.size + 2·reach. Every pair of cells counts with the product of its weights.
class Correlator {
 public:
  Correlator(const Cells& fixed, const Cells& moving);

  /// What is known of one shift.
  struct Value {
    double r = kNothing;
    double share = 0;  ///< of the weight of the fixed window that meets data
  };
  /// Which rows of the window are compared.
  enum class Rows {
    all,
    every_second  ///< along y and z: a quarter of the work, for windows whose smoothing spans several cells
  };

  Index3 reach() const noexcept { return reach_; }
  /// Correlation at shift k (each |k| ≤ reach), −1 … 1. kNothing when less than kLeastShare of the fixed
  /// window meets data, or when one of the windows is constant there. [any thread]
  Value at(Index3 k, Rows rows = Rows::all) const;

  static constexpr double kNothing = -2;
  static constexpr double kLeastShare = 0.05;

 private:
  /// weight, weight·value and weight·value² of cells, row by row.
  struct Moments {
    explicit Moments(const Cells& cells);
    std::vector<float> w, wv, wvv;
  };

  Index3 size_;  ///< of the fixed window
  Index3 reach_;
  std::int64_t fixed_stride_, moving_stride_, moving_rows_;
  Moments fixed_, moving_;
  double fixed_weight_[2] = {};        ///< of all rows, and of every second
  double fixed_noise_, moving_noise_;  ///< variance that is only rounding
};

}  // namespace spim::alignment
