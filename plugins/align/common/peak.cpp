#include "common/peak.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace spim::alignment {

namespace {

/// r(d) ≈ r(0) + gradientᵀ·d + ½ dᵀ·hessian·d
struct Paraboloid {
  Eigen::Vector3d gradient = Eigen::Vector3d::Zero();
  Eigen::Matrix3d hessian = Eigen::Matrix3d::Zero();
};

/// Least squares through the 27 shifts of −1, 0, 1 cells. On this grid the terms are orthogonal, so each
/// coefficient is a sum of its own: Σ d² = 18, Σ (d² − ⅔)² = 6, Σ dᵢ²dⱼ² = 12. Nothing when one is unknown.
std::optional<Paraboloid> fit(const Correlator& correlator) {
  Paraboloid p;
  bool known = true;
  for_neighbours([&](Index3 k) {
    const double r = correlator.at(k).r;
    known = known && r != Correlator::kNothing;
    const double d[3] = {static_cast<double>(k.x), static_cast<double>(k.y), static_cast<double>(k.z)};
    for (int i = 0; i < 3; ++i) {
      p.gradient[i] += d[i] * r / 18;
      p.hessian(i, i) += (d[i] * d[i] - 2.0 / 3) * r / 3;
      for (int j = i + 1; j < 3; ++j) p.hessian(i, j) += d[i] * d[j] * r / 12;
    }
  });
  if (!known) return {};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < i; ++j) p.hessian(i, j) = p.hessian(j, i);
  return p;
}

/// Four taps that interpolate at `t` between the second and the third (Keys 1981, a = −½).
struct CubicTaps {
  explicit CubicTaps(double t)
      : tap{static_cast<float>(((-0.5 * t + 1) * t - 0.5) * t),
            static_cast<float>((1.5 * t - 2.5) * t * t + 1),
            static_cast<float>(((-1.5 * t + 2) * t + 0.5) * t), static_cast<float>((0.5 * t - 0.5) * t * t)},
        between(static_cast<float>(t)) {}
  float tap[4];
  float between;
};

/// Cells along one axis.
struct Line {
  const float* value;
  const float* weight;
  std::int64_t stride;
  std::int64_t cells;
};

/// Value and weight of `line` at cell `i` + t. A cell counts when its two neighbours do.
std::pair<float, float> sample(const Line& line, std::int64_t i, const CubicTaps& taps) {
  if (i < 0 || i + 1 >= line.cells) {
    if (taps.between != 0 || i < 0 || i >= line.cells) return {0.0F, 0.0F};
    return {line.value[i * line.stride], line.weight[i * line.stride]};
  }
  const float near = line.weight[i * line.stride], far = line.weight[(i + 1) * line.stride];
  if (near == 0 || (far == 0 && taps.between != 0)) return {0.0F, 0.0F};
  float sum = 0;
  for (int k = 0; k < 4; ++k) {
    const std::int64_t j = std::clamp<std::int64_t>(i + k - 1, 0, line.cells - 1);
    sum += taps.tap[k] * line.value[j * line.stride];
  }
  return {sum, std::min(near, far)};
}

/// A volume of values and weights on its way through the axes.
struct Grid {
  Index3 size;
  std::vector<float> value, weight;
  explicit Grid(Index3 n)
      : size(n), value(static_cast<std::size_t>(count(n))), weight(static_cast<std::size_t>(count(n))) {}
};

/// Cell j along an axis comes from cell first + j + fraction.
struct Step {
  std::int64_t first;
  double fraction;
};

/// `out` has the size of `in` but along the axis that `axis` picks from a triple.
template <class Get>
void resample_axis(const Grid& in, Grid& out, Step step, Get axis) {
  const CubicTaps taps(step.fraction);
  const std::int64_t n = axis(in.size), m = axis(out.size);
  const std::int64_t stride_in = axis(Index3{1, in.size.x, in.size.x * in.size.y});
  const std::int64_t stride_out = axis(Index3{1, out.size.x, out.size.x * out.size.y});
  const std::int64_t block = stride_in, blocks = count(in.size) / (stride_in * n);
  for (std::int64_t b = 0; b < blocks; ++b)
    for (std::int64_t i = 0; i < block; ++i) {
      const std::int64_t from = b * block * n + i, to = b * block * m + i;
      const Line line{in.value.data() + from, in.weight.data() + from, stride_in, n};
      for (std::int64_t j = 0; j < m; ++j) {
        const auto [value, weight] = sample(line, j + step.first, taps);
        out.value[static_cast<std::size_t>(to + j * stride_out)] = value;
        out.weight[static_cast<std::size_t>(to + j * stride_out)] = weight;
      }
    }
}

Step step_to(double position) {
  const double whole = std::floor(position);
  return {static_cast<std::int64_t>(whole), position - whole};
}

/// The moving window of a correlator of reach 1 whose shift 0 is `shift` of the given one.
Cells resample(const Cells& moving, Index3 fixed_size, Vec3 shift) {
  const Index3 reach{(moving.size.x - fixed_size.x) / 2, (moving.size.y - fixed_size.y) / 2,
                     (moving.size.z - fixed_size.z) / 2};
  const Index3 size = fixed_size + Index3{2, 2, 2};
  const Step x = step_to(static_cast<double>(reach.x - 1) - shift.x);
  const Step y = step_to(static_cast<double>(reach.y - 1) - shift.y);
  const Step z = step_to(static_cast<double>(reach.z - 1) - shift.z);
  Grid in(moving.size);
  for (std::int64_t p = 0; p < in.size.z; ++p)
    for (std::int64_t r = 0; r < in.size.y; ++r) {
      const auto to = (p * in.size.y + r) * in.size.x;
      std::copy_n(moving.value.begin() + moving.at({0, r, p}), in.size.x, in.value.begin() + to);
      std::copy_n(moving.weight.begin() + moving.at({0, r, p}), in.size.x, in.weight.begin() + to);
    }
  Grid along_z({in.size.x, in.size.y, size.z}), along_y({in.size.x, size.y, size.z}), along_x(size);
  resample_axis(in, along_z, z, [](Index3 v) { return v.z; });
  resample_axis(along_z, along_y, y, [](Index3 v) { return v.y; });
  resample_axis(along_y, along_x, x, [](Index3 v) { return v.x; });
  Cells cells = empty_cells(size);
  cells.level = moving.level;
  for (std::int64_t p = 0; p < size.z; ++p)
    for (std::int64_t r = 0; r < size.y; ++r) {
      const auto from = (p * size.y + r) * size.x;
      std::copy_n(along_x.value.begin() + from, size.x, cells.value.begin() + cells.at({0, r, p}));
      std::copy_n(along_x.weight.begin() + from, size.x, cells.weight.begin() + cells.at({0, r, p}));
    }
  return cells;
}

}  // namespace

std::optional<Peak> refine(const Cells& fixed, const Cells& moving) {
  constexpr int kMostSteps = 4;
  constexpr double kCloseEnough = 0.01, kFarthest = 1.5;  // cells
  Vec3 shift;
  for (int step = 0; step < kMostSteps; ++step) {
    const Cells resampled = resample(moving, fixed.size, shift);
    const Correlator correlator(fixed, resampled);
    const std::optional<Paraboloid> p = fit(correlator);
    if (!p) return {};
    const Eigen::Matrix3d curvature = -p->hessian;
    const Eigen::LLT<Eigen::Matrix3d> factors(curvature);
    if (factors.info() != Eigen::Success) return {};
    const Eigen::Vector3d top = factors.solve(p->gradient);
    if (!(top.cwiseAbs().maxCoeff() < kFarthest)) return {};
    shift = shift + Vec3{top[0], top[1], top[2]};
    if (std::max({std::abs(shift.x), std::abs(shift.y), std::abs(shift.z)}) > kFarthest) return {};
    if (top.cwiseAbs().maxCoeff() > kCloseEnough && step + 1 < kMostSteps) continue;
    Peak peak{shift, correlator.at({}).r, {}};
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) peak.curvature[i][j] = curvature(i, j);
    return peak;
  }
  return {};
}

}  // namespace spim::alignment
