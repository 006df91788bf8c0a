#include "surface_fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "phantom/hash.hpp"

namespace spim::detail {

namespace {

/// The RANSAC of the original program made as many trials.
constexpr std::int64_t kTrials = 100;
/// Points that a trial is judged by: a share of agreement from so many is exact to 0.4 %.
constexpr std::size_t kJudges = std::size_t{1} << 16;
constexpr int kMostRounds = 60;
constexpr double kConverged = 1e-7;
/// Tukey's constant: 95 % of the efficiency of least squares for normal noise.
constexpr double kTukey = 4.685;
/// Standard deviation of normal noise over its median absolute deviation.
constexpr double kNormalMad = 1.4826;

/// Standard deviation of what rounding to steps of 1 changes.
constexpr double kUniformDeviation = 0.288675;

using Coefficients = Eigen::Vector4d;  // of u², u, w, 1

Eigen::Vector4d basis(double u, double w) {
  return {u * u, u, w, 1};
}

double light_at(const Coefficients& c, const SurfacePoint& p) {
  const double u = p.u;
  return (c[0] * u + c[1]) * u + c[2] * static_cast<double>(p.w) + c[3];
}

/// Weighted least squares from its normal equations; the basis is so small and so well scaled that they do.
class NormalEquations {
 public:
  void add(const SurfacePoint& p, double weight) {
    const Eigen::Vector4d row = basis(static_cast<double>(p.u), static_cast<double>(p.w));
    matrix_.noalias() += weight * row * row.transpose();
    right_.noalias() += weight * static_cast<double>(p.light) * row;
  }
  Coefficients solution() const { return matrix_.ldlt().solve(right_); }
  const Eigen::Matrix4d& matrix() const { return matrix_; }

 private:
  Eigen::Matrix4d matrix_ = Eigen::Matrix4d::Zero();
  Eigen::Vector4d right_ = Eigen::Vector4d::Zero();
};

/// Destroys the order of `values`.
double median_of(std::vector<float>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<double>(*middle);
}

/// Median absolute deviation of `values` from `centre`; destroys them.
double deviation_of(std::vector<float>& values, double centre) {
  for (float& value : values) value = std::abs(value - static_cast<float>(centre));
  return median_of(values);
}

class Fitter {
 public:
  Fitter(const std::vector<SurfacePoint>& points, const SurfaceFitSettings& settings)
      : points_(points), settings_(settings), values_(points.size()) {
    const std::size_t step = std::max<std::size_t>((points.size() + kJudges - 1) / kJudges, 1);
    for (std::size_t i = 0; i < points.size(); i += step) judges_.push_back(points[i]);
    for (std::size_t i = 0; i < points.size(); ++i) values_[i] = points[i].light;
    const double median = median_of(values_);
    const double deviation = deviation_of(values_, median);
    least_ = 1e-3 * median;
    step_ = settings.light_step / median;
    // As the original's threshold, the median absolute deviation, but relative; never none, as in a frame of
    // one grey level.
    tolerance_ = std::max({deviation / median, step_, 0.01});
  }

  SurfaceFit run(const Executor& executor) {
    Coefficients c = improved(best_trial(executor));
    SurfaceFit fit;
    fit.agreement = agreement(c, points_);
    fit.leverage = leverage();
    fit.surface = in_pixels(c);
    return fit;
  }

 private:
  bool near(const Coefficients& c, const SurfacePoint& p) const {
    const double light = light_at(c, p);
    return light > least_ && std::abs(static_cast<double>(p.light) - light) <= tolerance_ * light;
  }

  double agreement(const Coefficients& c, std::span<const SurfacePoint> points) const {
    const auto count = std::count_if(points.begin(), points.end(), [&](const auto& p) { return near(c, p); });
    return static_cast<double>(count) / static_cast<double>(points.size());
  }

  /// The surface through `min_samples` points drawn at random.
  Coefficients trial(std::int64_t number) const {
    Draw draw(subkey(subkey(settings_.seed, 2), number));
    const auto wanted = static_cast<std::size_t>(settings_.min_samples);
    std::vector<std::size_t> drawn;
    // Floyd's sampling: each set of so many points is as probable as any other.
    for (std::size_t j = points_.size() - wanted; j < points_.size(); ++j) {
      const auto candidate = static_cast<std::size_t>(draw.uniform() * static_cast<double>(j + 1));
      const bool known = std::find(drawn.begin(), drawn.end(), candidate) != drawn.end();
      drawn.push_back(known ? j : candidate);
    }
    NormalEquations equations;
    for (const std::size_t i : drawn) equations.add(points_[i], 1);
    return equations.solution();
  }

  Coefficients best_trial(const Executor& executor) const {
    std::vector<Coefficients> trials(kTrials);
    std::vector<double> scores(kTrials);
    executor.parallel_for(kTrials, [&](std::int64_t i, int) {
      const auto k = static_cast<std::size_t>(i);
      trials[k] = trial(i);
      scores[k] = trials[k].allFinite() ? agreement(trials[k], judges_) : -1;
    });
    return trials[static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin())];
  }

  /// From a trial to the least squares of its inliers, then to Tukey's estimate: the solution of
  /// Σ ψ(light / surface − 1) · ∂ log surface = 0. Where the noise is the same factor at every pixel, however
  /// skewed, its shape is exact in the mean; residuals in grey levels would flatten bright parts.
  Coefficients improved(Coefficients c) {
    NormalEquations inliers;
    for (const SurfacePoint& p : points_)
      if (near(c, p)) inliers.add(p, 1 / (light_at(c, p) * light_at(c, p)));
    if (const Coefficients refined = inliers.solution(); refined.allFinite()) c = refined;
    for (int round = 0; round < kMostRounds; ++round) {
      const Coefficients next = tukey_step(c);
      if (!next.allFinite()) break;
      const double change = (next - c).norm() / std::max(next.norm(), 1e-300);
      c = next;
      if (change < kConverged) break;
    }
    return c;
  }

  Coefficients tukey_step(const Coefficients& c) {
    for (std::size_t i = 0; i < points_.size(); ++i)
      values_[i] = static_cast<float>(static_cast<double>(points_[i].light) / raised(c, points_[i]) - 1);
    // The scale is that of the noise around its own middle, which a skewed one has beside the surface.
    std::vector<float>& scratch = scratch_ = values_;
    const double median = median_of(scratch);
    scratch = values_;
    // Where most points have the same few values, their usual deviation may be 0, but not that from the
    // truth.
    const double noise = std::max(kNormalMad * deviation_of(scratch, median), step_ * kUniformDeviation);
    const double scale = std::max(kTukey * noise, 1e-6);
    NormalEquations equations;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const double t = static_cast<double>(values_[i]) / scale;
      if (std::abs(t) >= 1) continue;
      const double bell = (1 - t * t) * (1 - t * t);
      const double light = raised(c, points_[i]);
      equations.add(points_[i], bell / (light * light));
    }
    return equations.solution();
  }

  /// The surface, never so low that a residual relative to it means nothing.
  double raised(const Coefficients& c, const SurfacePoint& p) const {
    return std::max(light_at(c, p), least_);
  }

  double leverage() const {
    NormalEquations all;
    for (const SurfacePoint& p : points_) all.add(p, 1);
    const Eigen::Matrix4d mean = all.matrix() / static_cast<double>(points_.size());
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix4d> solver(mean);
    if (!(solver.eigenvalues()[0] > 1e-9)) return std::numeric_limits<double>::infinity();
    const Eigen::Matrix4d inverse = mean.inverse();
    double largest = 0;
    for (const double u : {-1.0, 0.0, 1.0})
      for (const double w : {-1.0, 1.0}) {
        const Eigen::Vector4d row = basis(u, w);
        largest = std::max(largest, row.dot(inverse * row));
      }
    return largest;
  }

  /// u = s x − 1 and w = t y − 1.
  Surface in_pixels(const Coefficients& c) const {
    const auto slope = [](std::int64_t n) { return n > 1 ? 2.0 / static_cast<double>(n - 1) : 0.0; };
    const double s = slope(settings_.columns), t = slope(settings_.rows);
    return {c[0] * s * s, (c[1] - 2 * c[0]) * s, c[2] * t, c[0] - c[1] - c[2] + c[3]};
  }

  const std::vector<SurfacePoint>& points_;
  SurfaceFitSettings settings_;
  std::vector<SurfacePoint> judges_;
  std::vector<float> values_, scratch_;
  double least_ = 0;      ///< light below which the surface counts as dark
  double step_ = 0;       ///< of the light, relative
  double tolerance_ = 0;  ///< of a point that agrees, relative to the surface
};

}  // namespace

SurfaceFit fit_surface(const std::vector<SurfacePoint>& points, const SurfaceFitSettings& settings,
                       const Executor& executor) {
  return Fitter(points, settings).run(executor);
}

}  // namespace spim::detail
