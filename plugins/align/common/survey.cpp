#include "common/survey.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace spim::alignment {

Survey::Survey(const Correlator& correlator) : correlator_(correlator), reach_(correlator.reach()) {
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
  if (std::isnan(value)) value = correlator_.at(k);
  return value;
}

Summit Survey::climb(Index3 start) {
  Summit here{start, at(start)};
  for (;;) {
    Summit best = here;
    for_neighbours([&](Index3 d) {
      const Index3 k = here.shift + d;
      const double r = at(k);
      if (r > best.correlation) best = {k, r};
    });
    if (best.shift == here.shift) return here;
    here = best;
  }
}

std::vector<Summit> Survey::summits() {
  constexpr std::int64_t kStride = 2;
  const Index3 n{reach_.x / kStride, reach_.y / kStride, reach_.z / kStride};
  std::vector<Summit> found;
  for (std::int64_t z = -n.z; z <= n.z; ++z)
    for (std::int64_t y = -n.y; y <= n.y; ++y)
      for (std::int64_t x = -n.x; x <= n.x; ++x) {
        const Index3 k{kStride * x, kStride * y, kStride * z};
        const double r = at(k);
        bool highest = r > 0;
        for_neighbours([&](Index3 d) {
          highest = highest && at(k + Index3{kStride * d.x, kStride * d.y, kStride * d.z}) <= r;
        });
        if (highest) found.push_back(climb(k));
      }
  std::sort(found.begin(), found.end(), [](const Summit& a, const Summit& b) {
    return a.correlation != b.correlation ? a.correlation > b.correlation
           : a.shift.z != b.shift.z       ? a.shift.z < b.shift.z
           : a.shift.y != b.shift.y       ? a.shift.y < b.shift.y
                                          : a.shift.x < b.shift.x;
  });
  const auto same = [](const Summit& a, const Summit& b) { return a.shift == b.shift; };
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
  return found;
}

}  // namespace spim::alignment
