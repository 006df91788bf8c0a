#include "axis_system.hpp"

#include <algorithm>
#include <cmath>

#include "spim/error.hpp"

namespace spim::detail {

namespace {

Eigen::Index index(std::size_t i) noexcept {
  return static_cast<Eigen::Index>(i);
}

/// Normal matrix of the differences and the prior. Left-out differences keep their place as zeros, so that
/// the pattern does not depend on the weights.
Eigen::SparseMatrix<double> normal_matrix(const AxisProblem& problem) {
  std::vector<Eigen::Triplet<double>> entries;
  entries.reserve(problem.differences.size() * 4 + problem.prior.size());
  for (const Difference& d : problem.differences) {
    const Eigen::Index i = index(d.fixed), j = index(d.moving);
    entries.emplace_back(i, i, d.weight);
    entries.emplace_back(j, j, d.weight);
    entries.emplace_back(i, j, -d.weight);
    entries.emplace_back(j, i, -d.weight);
  }
  for (std::size_t i = 0; i < problem.prior.size(); ++i)
    entries.emplace_back(index(i), index(i), problem.prior[i]);
  const Eigen::Index n = index(problem.prior.size());
  Eigen::SparseMatrix<double> matrix(n, n);
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

}  // namespace

AxisSolution AxisSystem::solve(const AxisProblem& problem) {
  const Matrix normal = normal_matrix(problem);
  if (!analysed_) factor_.analyzePattern(normal);
  analysed_ = true;
  factor_.factorize(normal);
  if (factor_.info() != Eigen::Success)
    throw Error("the positions of the tiles cannot be solved for: their equations are singular");
  const Eigen::Index n = normal.rows();
  Eigen::VectorXd right = Eigen::VectorXd::Zero(n);
  for (const Difference& d : problem.differences) {
    right[index(d.moving)] += d.weight * d.value;
    right[index(d.fixed)] -= d.weight * d.value;
  }
  Eigen::VectorXd u = factor_.solve(right);
  AxisSolution solution;
  if (!problem.levers.empty()) {
    // e moves u by A⁻¹ P lever; what is left of the cost is a parabola in e.
    Eigen::VectorXd pull(n);
    double own = 1 / problem.scale_variance;
    for (Eigen::Index i = 0; i < n; ++i) {
      const auto k = static_cast<std::size_t>(i);
      pull[i] = problem.prior[k] * problem.levers[k];
      own += pull[i] * problem.levers[k];
    }
    const Eigen::VectorXd response = factor_.solve(pull);
    const double precision = own - pull.dot(response);
    solution.scale = pull.dot(u) / precision;
    solution.scale_error = 1 / std::sqrt(precision);
    u += solution.scale * response;
  }
  solution.u.assign(u.begin(), u.end());
  return solution;
}

std::vector<double> AxisSystem::variances(const std::vector<int>& group, int groups) const {
  // Var(u_i − mean) = C_ii − 2·mean_j C_ij + mean_jk C_jk over the group, with C the inverse of the matrix.
  const Eigen::Index n = index(group.size());
  std::vector<double> size(static_cast<std::size_t>(groups), 0), total(size);
  for (const int g : group) size[static_cast<std::size_t>(g)] += 1;
  std::vector<double> own(group.size()), with_group(group.size());
  Eigen::VectorXd unit = Eigen::VectorXd::Zero(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    unit[i] = 1;
    const Eigen::VectorXd column = factor_.solve(unit);
    unit[i] = 0;
    const auto k = static_cast<std::size_t>(i);
    own[k] = column[i];
    for (std::size_t j = 0; j < group.size(); ++j)
      if (group[j] == group[k]) with_group[k] += column[index(j)];
    total[static_cast<std::size_t>(group[k])] += with_group[k];
  }
  for (std::size_t k = 0; k < group.size(); ++k) {
    const auto g = static_cast<std::size_t>(group[k]);
    own[k] = std::max(0.0, own[k] - 2 * with_group[k] / size[g] + total[g] / (size[g] * size[g]));
  }
  return own;
}

}  // namespace spim::detail
