#include "robust_positions.hpp"

#include <algorithm>
#include <cmath>

#include "link_graph.hpp"

namespace spim::detail {

namespace {

/// Residuals are compared with the error of a link and with a third of the tolerance; beyond three of these
/// together a link is an outlier.
constexpr double kOutlier = 9;  // squared
/// Error that a consensus does not show: a tile is not perfectly rigid.
constexpr double kSystematic = 0.1;
/// What the stage is taken for when its scatter is estimated, voxels, as if from one tile.
constexpr double kPriorScatter = 2;
/// So many times as far from the stage as usual, a tile is lost.
constexpr double kLost = 5;
/// A voxel size is within 10 % of what was given, before anything is measured.
constexpr double kScaleVariance = 0.1 * 0.1;

double square(double v) noexcept {
  return v * v;
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Solver {
 public:
  explicit Solver(const RobustProblem& problem) : problem_(problem), weights_(problem.links.size(), 1) {
    solution_.u.resize(problem.tiles);
    solution_.variance.resize(problem.tiles);
    solution_.scatter.fill(problem.settings.stage_voxels);
  }

  RobustSolution run() {
    systematic_ = problem_.settings.tolerance_voxels / 3;
    anneal();
    polish();
    systematic_ = kSystematic;
    for (const std::size_t axis : problem_.axes) finish(axis);
    for (const double w : weights_) solution_.trusted.push_back(w > 0.5);
    return std::move(solution_);
  }

 private:
  AxisProblem axis_problem(std::size_t axis, bool with_scale) const {
    AxisProblem p;
    p.differences.reserve(problem_.links.size());
    for (std::size_t k = 0; k < problem_.links.size(); ++k) {
      const MeasuredLink& link = problem_.links[k];
      const double variance = square(link.error[axis]) + square(systematic_);
      p.differences.push_back(
          {link.fixed, link.moving, link.shift[axis], weights_[k] * link.confidence / variance});
    }
    const double scatter = solution_.scatter[axis];
    for (std::size_t i = 0; i < problem_.tiles; ++i) {
      const double lever = with_scale ? problem_.levers[axis][i] : 0;
      const double off = solution_.u[i][axis] - solution_.scale[axis] * lever;
      p.prior.push_back(1 / (square(scatter) + square(off / 3)));  // Cauchy: a lost tile does not pull
    }
    if (with_scale) p.levers = problem_.levers[axis];
    p.scale_variance = kScaleVariance;
    return p;
  }

  void solve_axis(std::size_t axis, bool with_scale) {
    const AxisSolution s = systems_[axis].solve(axis_problem(axis, with_scale));
    for (std::size_t i = 0; i < problem_.tiles; ++i) solution_.u[i][axis] = s.u[i];
    solution_.scale[axis] = s.scale;
    solution_.scale_error[axis] = s.scale_error;
  }

  void solve_axes() {
    for (const std::size_t axis : problem_.axes) solve_axis(axis, false);
  }

  /// Squared residual of link k in units of what is normal.
  double residual_2(std::size_t k) const noexcept {
    const MeasuredLink& link = problem_.links[k];
    const Axes r = residual_of(link, solution_.u);
    double sum = 0;
    for (const std::size_t axis : problem_.axes)
      sum += square(r[axis]) / (square(link.error[axis]) + square(problem_.settings.tolerance_voxels / 3));
    return sum;
  }

  /// Graduated non-convexity: begins with ordinary least squares and hardens the cost until each link counts
  /// fully or not at all.
  void anneal() {
    solve_axes();
    solve_axes();  // now with the prior of the tiles' own distance from the stage
    double worst = 0;
    for (std::size_t k = 0; k < weights_.size(); ++k) worst = std::max(worst, residual_2(k));
    if (worst <= kOutlier) return;
    double hardness = kOutlier / (2 * worst - kOutlier);
    for (int n = 0; n < 200 && hardness < 1e6; ++n, hardness *= 1.4) {
      bool binary = true;
      for (std::size_t k = 0; k < weights_.size(); ++k) {
        weights_[k] = truncated(residual_2(k), hardness);
        binary = binary && (weights_[k] == 0 || weights_[k] == 1);
      }
      solve_axes();
      if (binary && hardness > 1) break;
    }
    for (double& w : weights_) w = w > 0.5 ? 1 : 0;
  }

  static double truncated(double r2, double hardness) noexcept {
    if (r2 >= (hardness + 1) / hardness * kOutlier) return 0;
    if (r2 <= hardness / (hardness + 1) * kOutlier) return 1;
    return std::clamp(std::sqrt(kOutlier * hardness * (hardness + 1) / r2) - hardness, 0.0, 1.0);
  }

  /// Makes weights and residuals agree: takes back what fits and what alone joins two groups, leaves out the
  /// worst of what does not fit.
  void polish() {
    const std::size_t links = weights_.size();
    for (std::size_t n = 0; n <= 2 * links && n < 1000; ++n) {
      solve_axes();
      bool changed = n < links && take_back();
      std::size_t worst = links;
      for (std::size_t k = 0; k < links; ++k)
        if (weights_[k] > 0 && residual_2(k) > kOutlier &&
            (worst == links || residual_2(k) > residual_2(worst)))
          worst = k;
      if (worst < links) {
        weights_[worst] = 0;
        changed = true;
      }
      if (!changed && !(n < links && join_groups())) return;
    }
  }

  bool take_back() {
    bool changed = false;
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      if (weights_[k] > 0 || residual_2(k) > 0.9 * kOutlier) continue;
      weights_[k] = 1;
      changed = true;
    }
    return changed;
  }

  /// A link between two groups contradicts nothing, wherever annealing left the groups: takes back the
  /// surest.
  bool join_groups() {
    const LinkGraph graph = graph_of_weights();
    std::size_t best = weights_.size();
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      const MeasuredLink& link = problem_.links[k];
      if (graph.component(link.fixed) == graph.component(link.moving)) continue;
      if (best == weights_.size() || link.confidence > problem_.links[best].confidence) best = k;
    }
    if (best == weights_.size()) return false;
    weights_[best] = 1;
    return true;
  }

  LinkGraph graph_of_weights() const {
    std::vector<Edge> edges;
    for (std::size_t k = 0; k < weights_.size(); ++k)
      if (weights_[k] > 0) edges.emplace_back(problem_.links[k].fixed, problem_.links[k].moving);
    return LinkGraph(problem_.tiles, edges);
  }

  /// Solution, scale, scatter and errors of one axis with the links that are left.
  void finish(std::size_t axis) {
    const LinkGraph graph = graph_of_weights();
    const bool with_scale = !problem_.levers[axis].empty();
    for (int n = 0; n < 8; ++n) {
      solve_axis(axis, with_scale);
      solution_.scatter[axis] = scatter(axis, graph);
    }
    if (with_scale && !scale_known(solution_.scale[axis], solution_.scale_error[axis])) {
      const double error = solution_.scale_error[axis];
      solution_.scatter[axis] = problem_.settings.stage_voxels;
      for (int n = 0; n < 8; ++n) {
        solve_axis(axis, false);
        solution_.scatter[axis] = scatter(axis, graph);
      }
      solution_.scale[axis] = 0;
      solution_.scale_error[axis] = error;
    }
    std::vector<int> group;
    for (std::size_t i = 0; i < problem_.tiles; ++i) group.push_back(graph.component(i));
    const std::vector<double> variance = systems_[axis].variances(group, graph.components());
    const double excess = misfit(axis, graph);
    for (std::size_t i = 0; i < problem_.tiles; ++i)
      solution_.variance[i][axis] =
          graph.component_size(group[i]) > 1 ? variance[i] * excess : square(solution_.scatter[axis]);
  }

  /// Standard deviation of the linked tiles around their places on the stage, without lost ones, with a weak
  /// prior. The median of few tiles would often be far too small, and a voxel size surer than it is.
  double scatter(std::size_t axis, const LinkGraph& graph) const {
    std::vector<double> off;
    int groups = 0;
    for (int c = 0; c < graph.components(); ++c)
      if (graph.component_size(c) > 1) ++groups;
    const auto lever = [&](std::size_t i) {
      return problem_.levers[axis].empty() ? 0 : problem_.levers[axis][i];
    };
    for (std::size_t i = 0; i < problem_.tiles; ++i)
      if (graph.component_size(graph.component(i)) > 1)
        off.push_back(std::abs(solution_.u[i][axis] - solution_.scale[axis] * lever(i)));
    const double limit = kLost * 1.4826 * median_of(off);
    double n = 0, squares = 0;
    for (const double d : off)
      if (d <= limit) {
        n += 1;
        squares += square(d);
      }
    const double free = std::max(0.0, n - groups - (problem_.levers[axis].empty() ? 0 : 1));
    // Two tiles fit any scale: they tell nothing about the stage.
    if (free < 1) return problem_.settings.stage_voxels;
    return std::sqrt((square(kPriorScatter) + squares) / (1 + free));
  }

  /// By how much residuals exceed what the errors of the links promise, squared, at least 1.
  double misfit(std::size_t axis, const LinkGraph& graph) const {
    double sum = 0, links = 0;
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      if (!(weights_[k] > 0)) continue;
      const MeasuredLink& link = problem_.links[k];
      sum += square(residual_of(link, solution_.u)[axis]) * link.confidence /
             (square(link.error[axis]) + square(kSystematic));
      links += 1;
    }
    const double free = links - static_cast<double>(problem_.tiles) + graph.components();
    return free > 0 ? std::max(1.0, sum / free) : 1;
  }

  const RobustProblem& problem_;
  std::vector<double> weights_;
  double systematic_ = 0;
  std::array<AxisSystem, 3> systems_;
  RobustSolution solution_;
};

}  // namespace

Axes residual_of(const MeasuredLink& link, const std::vector<Axes>& u) noexcept {
  Axes r{};
  for (std::size_t axis = 0; axis < 3; ++axis)
    r[axis] = link.shift[axis] - (u[link.moving][axis] - u[link.fixed][axis]);
  return r;
}

bool scale_known(double scale, double error) noexcept {
  constexpr double kLargestError = 0.005, kSmallError = 0.001, kSigmas = 3;
  return error > 0 && error <= kLargestError && (error <= kSmallError || std::abs(scale) >= kSigmas * error);
}

RobustSolution solve_robustly(const RobustProblem& problem) {
  return Solver(problem).run();
}

}  // namespace spim::detail
