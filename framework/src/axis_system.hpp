#pragma once
/// Weighted least squares for the positions of tiles along one axis.

#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <cstddef>
#include <vector>

namespace spim::detail {

/// A measured difference: u[moving] − u[fixed] = value, with weight 1/variance; 0 leaves it out.
struct Difference {
  std::size_t fixed = 0;
  std::size_t moving = 0;
  double value = 0;
  double weight = 0;
};

/// What is minimised: Σ w·(u_j − u_i − value)² + Σ p_i·(u_i − e·lever_i)² + e²/variance_of_e. Without levers
/// there is no e.
struct AxisProblem {
  std::vector<Difference> differences;
  std::vector<double> prior;   ///< p_i > 0, one per tile
  std::vector<double> levers;  ///< empty: e is 0
  double scale_variance = 1;   ///< of e before anything is measured
};

struct AxisSolution {
  std::vector<double> u;
  double scale = 0;  ///< e
  double scale_error = 0;
};

/// Solves problems that share their graph; the order of elimination is worked out once.
class AxisSystem {
 public:
  AxisSolution solve(const AxisProblem& problem);

  /// Variance of each u of the problem solved last, relative to the mean of its group.
  std::vector<double> variances(const std::vector<int>& group, int groups) const;

 private:
  using Matrix = Eigen::SparseMatrix<double>;

  Eigen::SimplicialLDLT<Matrix> factor_;
  bool analysed_ = false;
};

}  // namespace spim::detail
