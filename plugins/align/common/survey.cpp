#include "common/survey.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace spim::alignment {

Survey::Survey(const Correlator& correlator, double samples)
    : correlator_(correlator), samples_(samples), reach_(correlator.reach()) {
  const Index3 n{2 * reach_.x + 1, 2 * reach_.y + 1, 2 * reach_.z + 1};
  known_.assign(static_cast<std::size_t>(count(n)), std::numeric_limits<double>::quiet_NaN());
}

bool Survey::within(Index3 k) const noexcept {
  return std::abs(k.x) <= reach_.x && std::abs(k.y) <= reach_.y && std::abs(k.z) <= reach_.z;
}

bool Survey::on_border(Index3 k) const noexcept {
  return std::abs(k.x) >= reach_.x || std::abs(k.y) >= reach_.y || std::abs(k.z) >= reach_.z;
}

double Survey::at(Index3 k) {
  if (!within(k)) return Correlator::kNothing;
  double& value = known_[static_cast<std::size_t>(
      ((k.z + reach_.z) * (2 * reach_.y + 1) + k.y + reach_.y) * (2 * reach_.x + 1) + k.x + reach_.x)];
  if (std::isnan(value)) value = score(correlator_.at(k));
  return value;
}

Summit Survey::climb(Index3 start) {
  Summit here{start, at(start)};
  for (;;) {
    Summit best = here;
    for_neighbours([&](Index3 d) {
      const Index3 k = here.shift + d;
      const double r = at(k);
      if (r > best.score) best = {k, r};
    });
    if (best.shift == here.shift) return here;
    here = best;
  }
}

double vouched(double r, double samples) {
  constexpr double kDeviations = 2, kLargest = 1 - 1e-9;
  const double deviation = 1 / std::sqrt(std::max(samples - 3, 1.0));
  return std::tanh(std::atanh(std::clamp(r, -kLargest, kLargest)) - kDeviations * deviation);
}

double Survey::score(const Correlator::Value& value) const {
  return value.r == Correlator::kNothing ? value.r : vouched(value.r, samples_ * value.share);
}

std::vector<Summit> Survey::coarse_maxima() const {
  constexpr std::int64_t kStride = 2;
  const Index3 half{reach_.x / kStride, reach_.y / kStride, reach_.z / kStride};
  const Index3 n{2 * half.x + 1, 2 * half.y + 1, 2 * half.z + 1};
  std::vector<double> scores;
  for (std::int64_t z = -half.z; z <= half.z; ++z)
    for (std::int64_t y = -half.y; y <= half.y; ++y)
      for (std::int64_t x = -half.x; x <= half.x; ++x)
        scores.push_back(
            score(correlator_.at({kStride * x, kStride * y, kStride * z}, Correlator::Rows::every_second)));
  const auto at = [&](Index3 i) {
    const bool inside = contains({{}, n}, {i, i + Index3{1, 1, 1}});
    return inside ? scores[static_cast<std::size_t>((i.z * n.y + i.y) * n.x + i.x)] : Correlator::kNothing;
  };
  std::vector<Summit> found;
  for (std::int64_t z = 0; z < n.z; ++z)
    for (std::int64_t y = 0; y < n.y; ++y)
      for (std::int64_t x = 0; x < n.x; ++x) {
        const double here = at({x, y, z});
        bool highest = here > Correlator::kNothing;
        for_neighbours([&](Index3 d) { highest = highest && at(Index3{x, y, z} + d) <= here; });
        if (highest)
          found.push_back({{kStride * (x - half.x), kStride * (y - half.y), kStride * (z - half.z)}, here});
      }
  return found;
}

std::vector<Summit> Survey::summits() {
  constexpr std::size_t kMost = 6;
  const auto better = [](const Summit& a, const Summit& b) {
    return a.score != b.score       ? a.score > b.score
           : a.shift.z != b.shift.z ? a.shift.z < b.shift.z
           : a.shift.y != b.shift.y ? a.shift.y < b.shift.y
                                    : a.shift.x < b.shift.x;
  };
  std::vector<Summit> found = coarse_maxima();
  std::sort(found.begin(), found.end(), better);
  found.resize(std::min(found.size(), kMost));
  for (Summit& summit : found) summit = climb(summit.shift);
  std::sort(found.begin(), found.end(), better);
  const auto same = [](const Summit& a, const Summit& b) { return a.shift == b.shift; };
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
  return found;
}

}  // namespace spim::alignment
