#include "spline_zoom.hpp"

#include <algorithm>
#include <cmath>

#include "spim/clones.hpp"

namespace spim::detail {

namespace {

/// Columns that are filtered together along y: the strip stays in the second-level cache.
constexpr std::int64_t kStrip = 64;
/// Rows that are filtered together along x, one in each lane of the instructions.
constexpr std::int64_t kLanes = 16;

constexpr float kPole = -0.26794919243112270647F;  // √3 − 2
constexpr float kGain = 6;                         // (1 − pole)·(1 − 1/pole)
/// Terms of the geometric series at the mirrored begin: the pole to this power is below float32.
constexpr std::int64_t kHorizon = 24;

std::int64_t mirrored(std::int64_t i, std::int64_t size) noexcept {
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);
  i = ((i % period) + period) % period;
  return i < size ? i : period - i;
}

/// Samples to spline coefficients along an axis of `count` samples `stride` apart, `width` neighbours at
/// once.
SPIM_CLONES void prefilter(float* const samples, std::int64_t count, std::int64_t stride,
                           std::int64_t width) {
  if (count == 1) return;
  float sum[kStrip] = {};
  float power = 1;
  for (std::int64_t k = 0; k < kHorizon; ++k, power *= kPole) {
    const float* const from = samples + mirrored(k, count) * stride;
    for (std::int64_t i = 0; i < width; ++i) sum[i] += power * from[i];
  }
  for (std::int64_t i = 0; i < width; ++i) samples[i] = kGain * sum[i];
  for (std::int64_t n = 1; n < count; ++n) {
    float* const now = samples + n * stride;
    const float* const before = now - stride;
    for (std::int64_t i = 0; i < width; ++i) now[i] = kGain * now[i] + kPole * before[i];
  }
  float* const last = samples + (count - 1) * stride;
  constexpr float kEnd = kPole / (kPole * kPole - 1);
  for (std::int64_t i = 0; i < width; ++i) last[i] = kEnd * (kPole * (last - stride)[i] + last[i]);
  for (std::int64_t n = count - 2; n >= 0; --n) {
    float* const now = samples + n * stride;
    const float* const after = now + stride;
    for (std::int64_t i = 0; i < width; ++i) now[i] = kPole * (after[i] - now[i]);
  }
}

/// One row of the result before its columns are interpolated, into lane `lane`.
SPIM_CLONES void mix_rows(const float* const (&rows)[4], const std::array<float, 4>& weight,
                          std::int64_t columns, float* lanes) {
  for (std::int64_t j = 0; j < columns; ++j)
    lanes[j * kLanes] =
        weight[0] * rows[0][j] + weight[1] * rows[1][j] + weight[2] * rows[2][j] + weight[3] * rows[3][j];
}

}  // namespace

std::vector<SplineZoom::Taps> SplineZoom::taps_of(const ZoomAxis& axis) {
  std::vector<Taps> taps(static_cast<std::size_t>(axis.size));
  const double step =
      axis.zoomed > 1 ? static_cast<double>(axis.size - 1) / static_cast<double>(axis.zoomed - 1) : 1;
  for (std::int64_t i = 0; i < axis.size; ++i) {
    const double at = static_cast<double>(axis.first_kept + i) * step;
    const double floor = std::floor(at);
    const double t = at - floor, s = 1 - t;
    Taps& tap = taps[static_cast<std::size_t>(i)];
    tap.weight = {static_cast<float>(s * s * s / 6), static_cast<float>((4 - 3 * t * t * (2 - t)) / 6),
                  static_cast<float>((4 - 3 * s * s * (2 - s)) / 6), static_cast<float>(t * t * t / 6)};
    for (int k = 0; k < 4; ++k)
      tap.index[static_cast<std::size_t>(k)] =
          static_cast<std::int32_t>(mirrored(static_cast<std::int64_t>(floor) - 1 + k, axis.size));
  }
  return taps;
}

SplineZoom::SplineZoom(const ZoomAxis& rows, const ZoomAxis& columns)
    : row_taps_(taps_of(rows)), column_taps_(taps_of(columns)) {}

std::int64_t SplineZoom::scratch_count() const noexcept {
  const auto rows = static_cast<std::int64_t>(row_taps_.size());
  const auto columns = static_cast<std::int64_t>(column_taps_.size());
  return (rows + kLanes) * columns;
}

void SplineZoom::apply(ImageView<float> image, float* scratch) const {
  const std::int64_t rows = image.rows, columns = image.columns;
  float* const coefficients = scratch;
  float* const lanes = scratch + rows * columns;
  for (std::int64_t y = 0; y < rows; ++y) std::copy_n(image.row(y), columns, coefficients + y * columns);
  for (std::int64_t x = 0; x < columns; x += kStrip)
    prefilter(coefficients + x, rows, columns, std::min(kStrip, columns - x));

  std::fill_n(lanes, columns * kLanes, 0.0F);
  for (std::int64_t first = 0; first < rows; first += kLanes) {
    const std::int64_t count = std::min(kLanes, rows - first);
    for (std::int64_t lane = 0; lane < count; ++lane) {
      const Taps& taps = row_taps_[static_cast<std::size_t>(first + lane)];
      const float* from[4];
      for (std::size_t k = 0; k < 4; ++k) from[k] = coefficients + taps.index[k] * columns;
      mix_rows(from, taps.weight, columns, lanes + lane);
    }
    prefilter(lanes, columns, kLanes, kLanes);
    for (std::int64_t x = 0; x < columns; ++x) {
      const Taps& taps = column_taps_[static_cast<std::size_t>(x)];
      float sum[kLanes] = {};
      for (std::size_t k = 0; k < 4; ++k)
        for (std::int64_t lane = 0; lane < kLanes; ++lane)
          sum[lane] += taps.weight[k] * lanes[taps.index[k] * kLanes + lane];
      for (std::int64_t lane = 0; lane < count; ++lane) image.row(first + lane)[x] = sum[lane];
    }
  }
}

}  // namespace spim::detail
