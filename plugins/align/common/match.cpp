#include "common/match.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace spim::alignment {

namespace {

Index3 scaled(Index3 a, Index3 b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
}

/// Cells of `window` voxels around `centre`, an odd number on each axis.
Lattice lattice_around(Index3 centre, Index3 window, Index3 step) {
  const Index3 half{window.x / 2 / step.x, window.y / 2 / step.y, window.z / 2 / step.z};
  return {centre - scaled(half, step), step, {2 * half.x + 1, 2 * half.y + 1, 2 * half.z + 1}};
}

/// The lattice that `reach` cells around `fixed` fall on when the moving tile sits at `position`.
Lattice moved(const Lattice& fixed, Index3 position, Index3 reach) {
  return {fixed.origin - position - scaled(fixed.step, reach), fixed.step,
          fixed.size + Index3{2 * reach.x, 2 * reach.y, 2 * reach.z}};
}

Box covered(const Lattice& lattice, Index3 margin) {
  const Index3 last = lattice.origin + scaled(lattice.step, lattice.size - Index3{1, 1, 1});
  return {lattice.origin - margin, last + margin + Index3{1, 1, 1}};
}

/// Volume of smoothed noise that counts as one sample: (4π)^(3/2)·σx·σy·σz, at least a voxel.
double volume_of_sample(Vec3 sigma) {
  const double width = 2 * std::sqrt(std::numbers::pi);
  return std::max(1.0, width * sigma.x) * std::max(1.0, width * sigma.y) * std::max(1.0, width * sigma.z);
}

double independent_samples(const Cells& cells, Index3 step, Vec3 sigma) {
  double weight = 0;
  for (const float w : cells.weight) weight += static_cast<double>(w);
  return weight * static_cast<double>(count(step)) / volume_of_sample(sigma);
}

/// The best maximum and the correlation at the next one that is not on its flank.
struct Winner {
  Summit best;
  double second = 0;
};

Winner winner(Survey& survey) {
  Winner w{survey.climb({}), 0};
  const std::vector<Summit> others = survey.summits();
  if (!others.empty() && others.front().correlation > w.best.correlation) w.best = others.front();
  for (const Summit& other : others) {
    const Index3 d = other.shift - w.best.shift;
    if (std::max({std::abs(d.x), std::abs(d.y), std::abs(d.z)}) > 2)
      w.second = std::max(w.second, other.correlation);
  }
  return w;
}

}  // namespace

Index3 smoothing_margin(Vec3 sigma) {
  const auto margin = [](double s) { return static_cast<std::int64_t>(std::ceil(1.5 * s)); };
  return {margin(sigma.x), margin(sigma.y), margin(sigma.z)};
}

std::optional<Match> match(const Patch& fixed, TileView& moving, Index3 centre, Index3 position,
                           const MatchSettings& settings) {
  constexpr int kMostReads = 5;
  const Index3 step = lattice_step(settings.sigma);
  const Lattice lattice = lattice_around(centre, settings.window, step);
  const Cells here = smooth(fixed, lattice, settings.sigma);
  const Index3 reach = ceil_div(settings.border, step);
  const double samples = independent_samples(here, step, settings.sigma);
  for (int reads = 0; reads < kMostReads; ++reads) {
    const Lattice there = moved(lattice, position, reach);
    const Cells around =
        smooth(read_patch(moving, covered(there, smoothing_margin(settings.sigma))), there, settings.sigma);
    const Correlator correlator(here, around);
    Survey survey(correlator);
    const Winner best = winner(survey);
    if (best.best.correlation <= 0) return {};
    if (survey.on_border(best.best.shift)) {
      position = position + scaled(best.best.shift, step);
      continue;
    }
    const std::optional<Peak> peak = refine(here, around, best.best);
    if (!peak) return {};
    Match found;
    found.position = {static_cast<double>(position.x) + static_cast<double>(step.x) * peak->shift.x,
                      static_cast<double>(position.y) + static_cast<double>(step.y) * peak->shift.y,
                      static_cast<double>(position.z) + static_cast<double>(step.z) * peak->shift.z};
    found.evidence = {peak->correlation, best.second, samples, expected_deviation(*peak, samples, step)};
    return found;
  }
  return {};
}

}  // namespace spim::alignment
