#pragma once
/// Positions of tiles from differences of which some are wrong.

#include <array>
#include <cstddef>
#include <vector>

#include "axis_system.hpp"
#include "spim/host/solve.hpp"

namespace spim::detail {

using Axes = std::array<double, 3>;

inline Axes axes_of(Vec3 v) noexcept {
  return {v.x, v.y, v.z};
}
inline Vec3 vec_of(const Axes& a) noexcept {
  return {a[0], a[1], a[2]};
}

/// A measured link, in voxels.
struct MeasuredLink {
  std::size_t fixed = 0;
  std::size_t moving = 0;
  Axes shift{};
  Axes error{};
  double confidence = 0;
};

struct RobustProblem {
  std::size_t tiles = 0;
  std::vector<MeasuredLink> links;
  std::vector<std::size_t> axes;              ///< which of x, y, z are solved for
  std::array<std::vector<double>, 3> levers;  ///< nominal voxel positions where a scale is to be fitted
  SolveSettings settings;
};

struct RobustSolution {
  std::vector<Axes> u;            ///< shift of each tile, voxels
  std::vector<bool> trusted;      ///< of each link
  std::array<double, 3> scale{};  ///< relative deviation of the voxel size
  std::array<double, 3> scale_error{};
  std::array<double, 3> scatter{};  ///< of the tiles around the stage, voxels
  std::vector<Axes> variance;       ///< of each tile, relative to the mean of its component
};

/// How far the measured shift of a link is from that of the tiles.
Axes residual_of(const MeasuredLink& link, const std::vector<Axes>& u) noexcept;

/// True when an estimated voxel size is better than the given one: its relative standard error is at most 0.1
/// %, or at most 0.5 % and the given one is beyond three of it.
bool scale_known(double scale, double error) noexcept;

/// See solve_positions().
RobustSolution solve_robustly(const RobustProblem& problem);

}  // namespace spim::detail
