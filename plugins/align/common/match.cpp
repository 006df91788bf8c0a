#include "common/match.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace spim::alignment {

namespace {

Index3 scaled(Index3 a, Index3 b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
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

/// `window` times `factor`, odd, not below the smallest that is worth comparing.
std::int64_t shrunk(std::int64_t window, double factor) {
  constexpr std::int64_t kSmallest = 21;
  const auto half = static_cast<std::int64_t>(factor * static_cast<double>(window) / 2);
  return std::min(window, std::max(2 * half + 1, kSmallest));
}

}  // namespace

MatchSettings fitted(MatchSettings settings, const Overlap& overlap) {
  constexpr double kSigmas = 6;  // from face to face
  const Vec3 thick = overlap.thickness();
  Vec3& sigma = settings.sigma;
  const double across = std::hypot(sigma.x, overlap.slant() * sigma.z);
  const double widest = kSigmas * std::max({across / thick.x, sigma.y / thick.y, sigma.z / thick.z});
  if (!(widest > 1)) return settings;
  sigma = {sigma.x / widest, sigma.y / widest, sigma.z / widest};
  Index3& window = settings.window;
  window = {shrunk(window.x, 1 / widest), shrunk(window.y, 1 / widest), shrunk(window.z, 1 / widest)};
  return settings;
}

Look look(const Patch& fixed, const Patch& moving, const Expectation& expected,
          const MatchSettings& settings) {
  const Index3 step = lattice_step(settings.sigma);
  const Lattice lattice = lattice_around(expected.centre, settings.window, step);
  const Cells here = smooth(fixed, lattice, settings.sigma);
  const double samples = independent_samples(here, step, settings.sigma);
  const Lattice there = moved(lattice, expected.position, ceil_div(settings.border, step));
  const Correlator correlator(here, smooth(moving, there, settings.sigma));
  Survey survey(correlator, samples);
  const Winner best = winner(survey);
  Look result;
  if (best.best.score <= 0) return result;
  const Index3 found_at = expected.position + scaled(best.best.shift, step);
  if (survey.on_border(best.best.shift)) {
    result.outcome = Outcome::beyond;
    result.continue_at = found_at;
    result.second = best.second;
    return result;
  }
  const Pair pair{fixed, moving, expected.centre, settings.window};
  std::optional<Place> place = refined(pair, found_at, settings.sigma);
  if (!place) return result;
  result.outcome = Outcome::found;
  Evidence& evidence = result.match.evidence;
  evidence.correlation = place->correlation;
  evidence.score = best.best.score;
  evidence.second = best.second;
  evidence.samples = samples;
  // Less smoothing keeps finer structure, but more noise: taken as long as it makes the position surer.
  for (Vec3 sigma = half(settings.sigma); worth_refining(sigma, settings.window); sigma = half(sigma)) {
    const Vec3 p = place->position;
    const std::optional<Place> finer =
        refined(pair, {std::llround(p.x), std::llround(p.y), std::llround(p.z)}, sigma);
    if (!finer || finer->deviation >= place->deviation) break;
    place = finer;
  }
  result.match.position = place->position;
  evidence.agreement = vouched(place->correlation, place->samples);
  evidence.deviation = place->deviation;
  return result;
}

std::optional<Match> match(const Patch& fixed, TileView& moving, Expectation expected,
                           const MatchSettings& settings) {
  constexpr int kMostReads = 4;
  const Index3 step = lattice_step(settings.sigma);
  const Lattice lattice = lattice_around(expected.centre, settings.window, step);
  double second = -1;
  for (int moves = 0; moves < kMostReads; ++moves) {
    const Lattice there = moved(lattice, expected.position, ceil_div(settings.border, step));
    const Patch patch = read_patch(moving, covered(there, smoothing_margin(settings.sigma)));
    if (patch.box.empty()) return {};
    Look seen = look(fixed, patch, expected, settings);
    if (seen.outcome == Outcome::nothing) return {};
    if (seen.outcome == Outcome::found) {
      seen.match.evidence.second = std::max(seen.match.evidence.second, second);
      seen.match.evidence.moves = moves;
      return seen.match;
    }
    second = std::max(second, seen.second);
    expected.position = seen.continue_at;
  }
  return {};
}

}  // namespace spim::alignment
