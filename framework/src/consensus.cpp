// What the samples of one pair say together.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "spim/host/solve.hpp"

namespace spim {

namespace {

/// How sure the shift of a window can be at best, voxels: interpolation and pixel noise.
constexpr double kFloor = 0.05;
/// What the scatter of samples is taken for before any is seen, as if so many had been.
constexpr double kPriorScatter = 0.3;
constexpr double kPriorSamples = 2;

double distance(Vec3 a, Vec3 b) noexcept {
  const Vec3 d = a - b;
  return std::sqrt(d.x * d.x + d.y * d.y + d.z * d.z);
}

/// A group of samples that say the same.
struct Mode {
  Vec3 centre;
  double weight = 0;
  std::int64_t samples = 0;
};

using Samples = std::vector<ShiftSample>;

Mode mode_around(const Samples& samples, Vec3 centre, double radius) noexcept {
  Mode mode;
  for (const ShiftSample& s : samples) {
    if (distance(s.shift, centre) > radius) continue;
    mode.centre =
        mode.centre + Vec3{s.confidence * s.shift.x, s.confidence * s.shift.y, s.confidence * s.shift.z};
    mode.weight += s.confidence;
    ++mode.samples;
  }
  if (mode.weight > 0) {
    const double w = mode.weight;
    mode.centre = {mode.centre.x / w, mode.centre.y / w, mode.centre.z / w};
  } else {
    mode.centre = centre;
  }
  return mode;
}

/// The heaviest mode among samples for which `allowed` holds (mean shift, started from every sample).
template <class Allowed>
Mode heaviest(const Samples& samples, double radius, Allowed allowed) {
  Mode best;
  for (const ShiftSample& start : samples) {
    if (!allowed(start.shift)) continue;
    Mode mode = mode_around(samples, start.shift, radius);
    for (int n = 0; n < 10; ++n) {
      const Mode next = mode_around(samples, mode.centre, radius);
      if (next.centre == mode.centre) break;
      mode = next;
    }
    if (mode.weight > best.weight && allowed(mode.centre)) best = mode;
  }
  return best;
}

/// Weighted location and scatter of the samples that agree, along one axis; Tukey's biweight keeps the
/// outermost from pulling.
struct Axis {
  double mean = 0, scatter = 0, count = 0;
};

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

Axis along(const std::vector<double>& values, const std::vector<double>& weights) {
  Axis axis;
  axis.mean = median_of(values);
  std::vector<double> deviations;
  for (const double v : values) deviations.push_back(std::abs(v - axis.mean));
  const double reach = 4.7 * std::max(0.1, 1.48 * median_of(deviations));
  for (int n = 0; n < 5; ++n) {
    double sum = 0, weight = 0, weight_2 = 0, square = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double t = (values[i] - axis.mean) / reach;
      const double w = weights[i] * (std::abs(t) < 1 ? (1 - t * t) * (1 - t * t) : 0);
      sum += w * values[i];
      weight += w;
      weight_2 += w * w;
      square += w * (values[i] - axis.mean) * (values[i] - axis.mean);
    }
    if (!(weight > 0)) break;
    axis = {sum / weight, std::sqrt(square / weight), weight * weight / weight_2};
  }
  return axis;
}

/// Standard deviation of the mean, with a weak prior on the scatter so that two equal samples are not exact.
double error_of(const Axis& axis) noexcept {
  const double variance =
      (axis.count * axis.scatter * axis.scatter + kPriorSamples * kPriorScatter * kPriorScatter) /
      (axis.count + kPriorSamples);
  return std::sqrt(variance / std::max(axis.count, 1.0) + kFloor * kFloor);
}

void summarize(AlignedLink& link, Vec3 centre, double radius) {
  std::array<std::vector<double>, 3> shifts;
  std::vector<double> weights, correlations;
  double doubt = 1;  // that all of them are wrong
  for (std::size_t i = 0; i < link.samples.size(); ++i) {
    const ShiftSample& s = link.samples[i];
    if (distance(s.shift, centre) > radius || !(s.confidence > 0)) continue;
    link.agrees[i] = 1;
    shifts[0].push_back(s.shift.x);
    shifts[1].push_back(s.shift.y);
    shifts[2].push_back(s.shift.z);
    weights.push_back(s.confidence);
    correlations.push_back(s.correlation);
    doubt *= 1 - s.confidence;
  }
  const Axis x = along(shifts[0], weights), y = along(shifts[1], weights), z = along(shifts[2], weights);
  link.shift_voxels = {x.mean, y.mean, z.mean};
  link.error_voxels = {error_of(x), error_of(y), error_of(z)};
  link.correlation = median_of(correlations);
  link.confidence = 1 - doubt;
}

}  // namespace

void find_consensus(AlignedLink& link, const ConsensusSettings& settings) {
  link.agrees.assign(link.samples.size(), 0);
  link.measured = false;
  link.rejection.clear();
  link.confidence = link.correlation = 0;
  link.shift_voxels = link.error_voxels = {};
  double all = 0;
  for (const ShiftSample& s : link.samples) all += s.confidence;
  if (!(all > 0)) {
    link.rejection = "the overlap has no content that could be matched";
    return;
  }
  const double radius = settings.radius_voxels;
  const Mode best = heaviest(link.samples, radius, [](Vec3) { return true; });
  const Mode second =
      heaviest(link.samples, radius, [&](Vec3 at) { return distance(at, best.centre) > 2 * radius; });
  summarize(link, best.centre, radius);
  link.confidence *= (best.weight - second.weight) / best.weight;
  const double share = best.weight / all;
  const bool majority = share >= 0.5 && best.weight >= 2 * second.weight;
  // Wrong shifts scatter over thousands of places: a few that agree are no accident.
  const bool cluster = best.samples >= 3 && share >= 0.25 && best.weight >= 2 * second.weight;
  if (!majority && !cluster) {
    if (best.weight < 2 * second.weight)
      link.rejection = fmt::format(
          "two answers are almost equally likely: {:.1f},{:.1f},{:.1f} and {:.1f},{:.1f},{:.1f} voxels",
          best.centre.x, best.centre.y, best.centre.z, second.centre.x, second.centre.y, second.centre.z);
    else
      link.rejection = fmt::format("its {} samples disagree", link.samples.size());
  } else if (link.confidence < settings.least_confidence) {
    link.rejection =
        fmt::format("confidence is {:.2f}, below {:.2f}", link.confidence, settings.least_confidence);
  }
  link.measured = link.rejection.empty();
}

}  // namespace spim
