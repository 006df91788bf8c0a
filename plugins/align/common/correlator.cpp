#include "common/correlator.hpp"

#include <algorithm>
#include <cmath>

#include "spim/clones.hpp"

namespace spim::alignment {

namespace {

/// Rows of one window: weights, and values and squares times weights, `stride` from row to row.
struct Rows {
  const float* w;
  const float* wv;
  const float* wvv;
  std::int64_t stride;
};

/// Sums over pairs of cells, in kLanes parts: weight, fixed, moving, fixed², moving², fixed·moving.
struct Lanes {
  float sum[6][kLanes];
};

struct Extent {
  std::int64_t rows, cells;
};

/// Adds pairs of cells of so many rows, which stays in registers: rows are short. n, the cells of a row, is a
/// multiple of kLanes. Behind the end of a window its weights are 0.
SPIM_CLONES void add_rows(const Rows& f, const Rows& m, Extent n, Lanes& lanes) {
  float s0[kLanes], s1[kLanes], s2[kLanes], s3[kLanes], s4[kLanes], s5[kLanes];
  for (std::int64_t j = 0; j < kLanes; ++j) {
    s0[j] = lanes.sum[0][j];
    s1[j] = lanes.sum[1][j];
    s2[j] = lanes.sum[2][j];
    s3[j] = lanes.sum[3][j];
    s4[j] = lanes.sum[4][j];
    s5[j] = lanes.sum[5][j];
  }
  for (std::int64_t r = 0; r < n.rows; ++r) {
    const float *fw = f.w + r * f.stride, *fv = f.wv + r * f.stride, *fvv = f.wvv + r * f.stride;
    const float *mw = m.w + r * m.stride, *mv = m.wv + r * m.stride, *mvv = m.wvv + r * m.stride;
    for (std::int64_t i = 0; i < n.cells; i += kLanes)
      for (std::int64_t j = 0; j < kLanes; ++j) {
        s0[j] += fw[i + j] * mw[i + j];
        s1[j] += fv[i + j] * mw[i + j];
        s2[j] += fw[i + j] * mv[i + j];
        s3[j] += fvv[i + j] * mw[i + j];
        s4[j] += fw[i + j] * mvv[i + j];
        s5[j] += fv[i + j] * mv[i + j];
      }
  }
  for (std::int64_t j = 0; j < kLanes; ++j) {
    lanes.sum[0][j] = s0[j];
    lanes.sum[1][j] = s1[j];
    lanes.sum[2][j] = s2[j];
    lanes.sum[3][j] = s3[j];
    lanes.sum[4][j] = s4[j];
    lanes.sum[5][j] = s5[j];
  }
}

double rounding_variance(const Cells& cells) {
  constexpr double kRounding = 1e-6;  // of float32 sums over a window
  return std::pow(kRounding * std::abs(cells.level), 2);
}

}  // namespace

Correlator::Moments::Moments(const Cells& cells) : w(cells.weight), wv(w.size()), wvv(w.size()) {
  for (std::size_t i = 0; i < w.size(); ++i) {
    wv[i] = w[i] * cells.value[i];
    wvv[i] = wv[i] * cells.value[i];
  }
}

Correlator::Correlator(const Cells& fixed, const Cells& moving)
    : size_(fixed.size),
      reach_{(moving.size.x - fixed.size.x) / 2, (moving.size.y - fixed.size.y) / 2,
             (moving.size.z - fixed.size.z) / 2},
      fixed_stride_(fixed.stride),
      moving_stride_(moving.stride),
      moving_rows_(moving.size.y),
      fixed_(fixed),
      moving_(moving),
      fixed_noise_(rounding_variance(fixed)),
      moving_noise_(rounding_variance(moving)) {
  for (std::int64_t z = 0; z < size_.z; ++z)
    for (std::int64_t y = 0; y < size_.y; ++y)
      for (std::int64_t x = 0; x < size_.x; ++x) {
        const auto w = static_cast<double>(fixed.weight[static_cast<std::size_t>(fixed.at({x, y, z}))]);
        fixed_weight_[0] += w;
        if (y % 2 == 0 && z % 2 == 0) fixed_weight_[1] += w;
      }
  // The last vector of a row may reach as far as this behind the last cell of the moving window.
  for (auto* v : {&moving_.w, &moving_.wv, &moving_.wvv})
    v->resize(v->size() + static_cast<std::size_t>(kLanes));
}

Correlator::Value Correlator::at(Index3 k, Rows rows) const {
  const std::int64_t step = rows == Rows::all ? 1 : 2;
  double n = 0, f = 0, m = 0, ff = 0, mm = 0, fm = 0;
  for (std::int64_t z = 0; z < size_.z; z += step) {
    Lanes lanes{};
    const auto i = static_cast<std::size_t>(z * size_.y * fixed_stride_);
    const auto j = static_cast<std::size_t>(
        ((z + reach_.z - k.z) * moving_rows_ + reach_.y - k.y) * moving_stride_ + reach_.x - k.x);
    add_rows({&fixed_.w[i], &fixed_.wv[i], &fixed_.wvv[i], step * fixed_stride_},
             {&moving_.w[j], &moving_.wv[j], &moving_.wvv[j], step * moving_stride_},
             {ceil_div(size_.y, step), fixed_stride_}, lanes);
    double* const totals[6] = {&n, &f, &m, &ff, &mm, &fm};
    for (int s = 0; s < 6; ++s)
      for (const float part : lanes.sum[s]) *totals[s] += static_cast<double>(part);
  }
  Value value;
  value.share = n / fixed_weight_[rows == Rows::all ? 0 : 1];
  if (!(value.share > kLeastShare)) return value;
  const double variance_f = ff / n - f / n * (f / n), variance_m = mm / n - m / n * (m / n);
  if (variance_f <= fixed_noise_ || variance_m <= moving_noise_) return value;
  value.r = std::clamp((fm / n - f / n * (m / n)) / std::sqrt(variance_f * variance_m), -1.0, 1.0);
  return value;
}

}  // namespace spim::alignment
