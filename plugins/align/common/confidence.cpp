#include "common/confidence.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace spim::alignment {

double expected_deviation(const Peak& peak, double samples, Index3 step) {
  Eigen::Matrix3d curvature;
  const double voxels[3] = {static_cast<double>(step.x), static_cast<double>(step.y),
                            static_cast<double>(step.z)};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) curvature(i, j) = peak.curvature[i][j] / voxels[i] / voxels[j];
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(curvature, Eigen::EigenvaluesOnly);
  const double r = peak.correlation;
  return std::sqrt((1 - r * r) / (r * samples * solver.eigenvalues()[0]));
}

double confidence(const Evidence& e) {
  return e.correlation;
}

}  // namespace spim::alignment
