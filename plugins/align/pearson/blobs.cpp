#include "blobs.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/cells.hpp"
#include "common/survey.hpp"

namespace spim {

namespace {

using alignment::Cells;
using alignment::Lattice;
using alignment::Patch;

/// Standard deviation of the noise of single voxels, from the differences of neighbours in y: rows of a
/// camera are independent, while neighbours in x may be interpolated from the same frames. Structure adds
/// differences, but not to the median where it is smooth.
double noise_deviation(const Patch& patch) {
  const Box& box = patch.box;
  std::vector<float> differences;
  constexpr std::int64_t kEvery = 3;
  for (std::int64_t z = box.begin.z; z < box.end.z; z += kEvery) {
    const IndexRange valid = patch.valid[static_cast<std::size_t>(z - box.begin.z)];
    for (std::int64_t y = box.begin.y; y + 1 < box.end.y; y += kEvery)
      for (std::int64_t x = valid.begin; x < valid.end; x += kEvery) {
        const std::int64_t i = x - box.begin.x;
        differences.push_back(std::abs(patch.row(y + 1, z)[i] - patch.row(y, z)[i]));
      }
  }
  if (differences.empty()) return 0;
  const auto middle = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::nth_element(differences.begin(), middle, differences.end());
  constexpr double kMedianOfNormal = 0.6745;
  return static_cast<double>(*middle) / kMedianOfNormal / std::numbers::sqrt2;
}

/// What a Gaussian leaves of white noise of deviation 1.
double noise_gain(Vec3 sigma) {
  const auto gain = [](double s) {
    return std::min(1.0, 1 / std::sqrt(2 * std::sqrt(std::numbers::pi) * s));
  };
  return gain(sigma.x) * gain(sigma.y) * gain(sigma.z);
}

std::int64_t cell_step(double sigma) {
  return std::max<std::int64_t>(1, std::llround(sigma));
}

bool is_peak(const std::vector<double>& strength, Index3 n, Index3 c) {
  const auto at = [&](Index3 i) { return strength[static_cast<std::size_t>((i.z * n.y + i.y) * n.x + i.x)]; };
  const double here = at(c);
  bool peak = true;
  alignment::for_neighbours([&](Index3 d) {
    const Index3 other = c + d;
    if (contains({{}, n}, {other, other + Index3{1, 1, 1}})) peak = peak && at(other) <= here;
  });
  return peak;
}

}  // namespace

std::vector<Blob> find_blobs(const Patch& patch, const Box& where, Vec3 sigmas) {
  constexpr double kWide = 3, kNoiseLimit = 5;
  const Index3 step{cell_step(sigmas.x), cell_step(sigmas.y), cell_step(sigmas.z)};
  const Lattice lattice{where.begin, step, ceil_div(where.size(), step)};
  const Cells narrow = smooth(patch, lattice, sigmas);
  const Cells wide = smooth(patch, lattice, {kWide * sigmas.x, kWide * sigmas.y, kWide * sigmas.z});
  const Index3 n = lattice.size;
  std::vector<double> strength;
  for (std::int64_t z = 0; z < n.z; ++z)
    for (std::int64_t y = 0; y < n.y; ++y)
      for (std::int64_t x = 0; x < n.x; ++x) {
        const auto i = static_cast<std::size_t>(narrow.at({x, y, z}));
        const bool known = narrow.weight[i] > 0 && wide.weight[i] > 0;
        strength.push_back(known ? static_cast<double>(narrow.value[i]) + narrow.level -
                                       static_cast<double>(wide.value[i]) - wide.level
                                 : 0);
      }
  const double rounding = 1e-5 * std::abs(narrow.level);
  const double limit = std::max(kNoiseLimit * noise_deviation(patch) * noise_gain(sigmas), rounding);
  std::vector<Blob> blobs;
  for (std::int64_t z = 0; z < n.z; ++z)
    for (std::int64_t y = 0; y < n.y; ++y)
      for (std::int64_t x = 0; x < n.x; ++x) {
        const double s = strength[static_cast<std::size_t>((z * n.y + y) * n.x + x)];
        if (s > limit && is_peak(strength, n, {x, y, z}))
          blobs.push_back({lattice.origin + Index3{x * step.x, y * step.y, z * step.z}, s});
      }
  return blobs;
}

}  // namespace spim
