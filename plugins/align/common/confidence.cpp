#include "common/confidence.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace spim::alignment {

namespace {

double fisher_z(double r) {
  constexpr double kLargest = 1 - 1e-9;
  return std::atanh(std::clamp(r, -kLargest, kLargest));
}

}  // namespace

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
  constexpr double kCloseEnough = 0.5, kSystematic = 0.05, kEqual = 0.95, kInferior = 0.75, kPerMove = 0.7;
  const double deviation = std::hypot(e.deviation, kSystematic);
  const double precise = std::erf(kCloseEnough / (std::numbers::sqrt2 * deviation));
  const double lead = (fisher_z(e.score) - fisher_z(e.second)) * std::sqrt(std::max(e.samples - 3, 1.0)) / 2;
  const double distinct = std::erf(std::max(lead, 0.0) / std::numbers::sqrt2);
  const double rival = e.score > 0 ? e.second / e.score : 1;
  const double unrivalled = std::clamp((kEqual - rival) / (kEqual - kInferior), 0.0, 1.0);
  return precise * distinct * unrivalled * std::pow(kPerMove, e.moves) *
         std::pow(std::max(e.agreement, 0.0), 3);
}

}  // namespace spim::alignment
