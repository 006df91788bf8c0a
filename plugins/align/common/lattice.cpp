#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/cells.hpp"

namespace spim::alignment {

namespace {

Index3 scaled(Index3 a, Index3 b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
}

/// Volume of smoothed noise that counts as one sample: (4π)^(3/2)·σx·σy·σz, at least a voxel.
double volume_of_sample(Vec3 sigma) {
  const double width = 2 * std::sqrt(std::numbers::pi);
  return std::max(1.0, width * sigma.x) * std::max(1.0, width * sigma.y) * std::max(1.0, width * sigma.z);
}

}  // namespace

Lattice lattice_around(Index3 centre, Index3 window, Index3 step) {
  const Index3 half{window.x / 2 / step.x, window.y / 2 / step.y, window.z / 2 / step.z};
  return {centre - scaled(half, step), step, {2 * half.x + 1, 2 * half.y + 1, 2 * half.z + 1}};
}

Lattice moved(const Lattice& fixed, Index3 position, Index3 reach) {
  return {fixed.origin - position - scaled(fixed.step, reach), fixed.step,
          fixed.size + Index3{2 * reach.x, 2 * reach.y, 2 * reach.z}};
}

Box covered(const Lattice& lattice, Index3 margin) {
  const Index3 last = lattice.origin + scaled(lattice.step, lattice.size - Index3{1, 1, 1});
  return {lattice.origin - margin, last + margin + Index3{1, 1, 1}};
}

double independent_samples(const Cells& cells, Index3 step, Vec3 sigma) {
  double weight = 0;
  for (const float w : cells.weight) weight += static_cast<double>(w);
  return weight * static_cast<double>(count(step)) / volume_of_sample(sigma);
}

Index3 smoothing_margin(Vec3 sigma) {
  const auto margin = [](double s) { return static_cast<std::int64_t>(std::ceil(1.5 * s)); };
  return {margin(sigma.x), margin(sigma.y), margin(sigma.z)};
}

}  // namespace spim::alignment
