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

/// The best maximum and the score of the next one that is not on its flank.
struct Winner {
  Summit best;
  double second = -1;
};

Winner winner(Survey& survey) {
  Winner w{survey.climb({})};
  const std::vector<Summit> others = survey.summits();
  if (!others.empty() && others.front().score > w.best.score) w.best = others.front();
  for (const Summit& other : others) {
    const Index3 d = other.shift - w.best.shift;
    if (std::max({std::abs(d.x), std::abs(d.y), std::abs(d.z)}) > 2)
      w.second = std::max(w.second, other.score);
  }
  return w;
}

/// The two patches of a match, and where the window lies.
struct Pair {
  const Patch& fixed;
  const Patch& moving;
  Index3 centre, window;
};

/// A position and how well it is known.
struct Place {
  Vec3 position;
  double correlation = 0, samples = 0, deviation = 0;
};

/// Refines `position` from what both patches hold there, so that faces cut the same part from both and cannot
/// pull. Starts again when the result is more than half a voxel away: the parts would not be the same.
std::optional<Place> refined(const Pair& pair, Index3 position, Vec3 sigma) {
  constexpr int kMostTries = 4;
  constexpr double kFar = 0.75;  // voxels; more than a half, so that it cannot go back and forth
  const Index3 step = lattice_step(sigma);
  const Lattice lattice = lattice_around(pair.centre, pair.window, step);
  const Index3 reach{kRefineReach, kRefineReach, kRefineReach};
  for (int attempt = 0; attempt < kMostTries; ++attempt) {
    const Lattice there = moved(lattice, position, reach);
    const Box wanted = shift(covered(there, smoothing_margin(sigma)), position);
    const CommonPatches both = common_part(pair.fixed, pair.moving, position, wanted);
    if (both.fixed.box.empty()) return {};
    const Cells here = smooth(both.fixed, lattice, sigma);
    const std::optional<Peak> peak = refine(here, smooth(both.moving, there, sigma));
    if (!peak || !(peak->correlation > 0)) return {};
    const Vec3 rest{static_cast<double>(step.x) * peak->shift.x, static_cast<double>(step.y) * peak->shift.y,
                    static_cast<double>(step.z) * peak->shift.z};
    if (std::max({std::abs(rest.x), std::abs(rest.y), std::abs(rest.z)}) > kFar && attempt + 1 < kMostTries) {
      position = position + Index3{std::llround(rest.x), std::llround(rest.y), std::llround(rest.z)};
      continue;
    }
    Place place;
    place.position = Vec3{static_cast<double>(position.x), static_cast<double>(position.y),
                          static_cast<double>(position.z)} +
                     rest;
    place.correlation = peak->correlation;
    place.samples = independent_samples(here, step, sigma);
    place.deviation = expected_deviation(*peak, place.samples, step);
    return place;
  }
  return {};
}

/// True when windows smoothed this little are still smooth enough to be resampled, and not too large.
bool worth_refining(Vec3 sigma, Index3 window) {
  constexpr std::int64_t kMostCells = 50000;
  const Index3 step = lattice_step(sigma);
  return std::min({sigma.x, sigma.y, sigma.z}) >= 1 && count(ceil_div(window, step)) <= kMostCells;
}

Vec3 half(Vec3 v) {
  return {v.x / 2, v.y / 2, v.z / 2};
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
    const Patch patch = read_patch(moving, covered(there, smoothing_margin(settings.sigma)));
    if (patch.box.empty()) return {};
    const Correlator correlator(here, smooth(patch, there, settings.sigma));
    Survey survey(correlator, samples);
    const Winner best = winner(survey);
    if (best.best.score <= 0) return {};
    const Index3 found_at = position + scaled(best.best.shift, step);
    if (survey.on_border(best.best.shift)) {
      position = found_at;
      continue;
    }
    const Pair pair{fixed, patch, centre, settings.window};
    std::optional<Place> place = refined(pair, found_at, settings.sigma);
    if (!place) return {};
    Match found;
    found.evidence = {place->correlation, best.best.score, best.second, samples, place->deviation};
    // Less smoothing keeps finer structure, but more noise: taken as long as it makes the position surer.
    for (Vec3 sigma = half(settings.sigma); worth_refining(sigma, settings.window); sigma = half(sigma)) {
      const Vec3 p = place->position;
      const std::optional<Place> finer =
          refined(pair, {std::llround(p.x), std::llround(p.y), std::llround(p.z)}, sigma);
      if (!finer || finer->deviation >= place->deviation) break;
      place = finer;
    }
    found.position = place->position;
    found.evidence.deviation = place->deviation;
    return found;
  }
  return {};
}

}  // namespace spim::alignment
