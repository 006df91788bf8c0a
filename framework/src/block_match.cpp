#include "block_match.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "band_pass.hpp"

namespace spim::detail {

namespace {

constexpr double kFine = 1, kCoarse = 5;  // voxels; between them lies what is compared
constexpr std::int64_t kLeastVoxels = 400;
/// Variance over that of smoothed noise above which a block holds something.
constexpr double kContent = 4;
/// Of a match, after moving.
constexpr double kLeastCorrelation = 0.5;
/// Standard error of a displacement that still counts, voxels.
constexpr double kMostError = 0.25;
/// Independent voxels after smoothing: one in (2·√π·σ)³.
const double kVoxelsPerSample = std::pow(2 * std::sqrt(std::numbers::pi) * kFine, 3);

struct Band {
  Index3 size;
  std::vector<float> known;
  std::vector<float> values;
  double noise = 0;  ///< variance that noise leaves in `values`

  Band(Index3 shape, const std::vector<float>& voxels) : size(shape) {
    MaskedVolume raw(shape, voxels);
    values = smoothed(raw, kFine);
    const std::vector<float> slow = smoothed(raw, kCoarse);
    double sum = 0, n = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double rest = static_cast<double>(raw.values[i] - values[i]);
      if (raw.known[i] > 0) {
        sum += rest * rest;
        n += 1;
      }
      values[i] -= slow[i];
    }
    known = std::move(raw.known);
    if (n > 0) noise = sum / n / kVoxelsPerSample;
  }

  std::size_t at(Index3 p) const noexcept {
    return static_cast<std::size_t>((p.z * size.y + p.y) * size.x + p.x);
  }
  bool holds(Index3 p) const noexcept {
    return p.x >= 0 && p.y >= 0 && p.z >= 0 && p.x < size.x && p.y < size.y && p.z < size.z &&
           known[at(p)] > 0;
  }
};

/// Sums for a Pearson correlation.
struct Sums {
  double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  void add(double u, double v) noexcept {
    n += 1;
    a += u;
    b += v;
    aa += u * u;
    bb += v * v;
    ab += u * v;
  }
  double variance_a() const noexcept { return n > 0 ? aa / n - a * a / n / n : 0; }
  double variance_b() const noexcept { return n > 0 ? bb / n - b * b / n / n : 0; }
  double correlation() const noexcept {
    const double v = variance_a() * variance_b();
    return v > 0 ? (ab / n - a * b / n / n) / std::sqrt(v) : 0;
  }
};

/// Calls body(p) for every `step`-th voxel of the inner part of a block.
template <class Body>
void for_inner(Index3 size, std::int64_t margin, std::int64_t step, const Body& body) {
  for (std::int64_t z = margin; z < size.z - margin; z += step)
    for (std::int64_t y = margin; y < size.y - margin; y += step)
      for (std::int64_t x = margin; x < size.x - margin; x += step) body(Index3{x, y, z});
}

class Matcher {
 public:
  Matcher(const OverlapBlock& block, std::int64_t margin)
      : fixed_(block.size, block.fixed), moving_(block.size, block.moving), margin_(margin) {}

  bool has_content() const {
    const Sums sums = at_shift({0, 0, 0}, 1);
    return sums.n >= kLeastVoxels && sums.variance_a() > kContent * fixed_.noise &&
           sums.variance_b() > kContent * moving_.noise;
  }
  double correlation() const { return at_shift({0, 0, 0}, 1).correlation(); }

  std::optional<Vec3> displacement() const {
    const Index3 start = search();
    return refine({static_cast<double>(start.x), static_cast<double>(start.y), static_cast<double>(start.z)});
  }

 private:
  Sums at_shift(Index3 d, std::int64_t step) const {
    Sums sums;
    for_inner(fixed_.size, margin_, step, [&](Index3 p) {
      if (fixed_.known[fixed_.at(p)] > 0 && moving_.holds(p + d))
        sums.add(static_cast<double>(fixed_.values[fixed_.at(p)]),
                 static_cast<double>(moving_.values[moving_.at(p + d)]));
    });
    return sums;
  }

  /// The best of every second shift on every second voxel: the band is wide enough for both.
  Index3 search() const {
    Index3 best;
    double most = -2;
    for (std::int64_t z = -margin_; z <= margin_; z += 2)
      for (std::int64_t y = -margin_; y <= margin_; y += 2)
        for (std::int64_t x = -margin_; x <= margin_; x += 2) {
          const Sums sums = at_shift({x, y, z}, 2);
          if (sums.n < static_cast<double>(kLeastVoxels) / 8) continue;
          if (const double r = sums.correlation(); r > most) {
            most = r;
            best = {x, y, z};
          }
        }
    return best;
  }

  /// The moving band at p + d, linearly; nothing where it is unknown.
  std::optional<double> sample(Index3 p, Vec3 d) const {
    const Index3 low{p.x + static_cast<std::int64_t>(std::floor(d.x)),
                     p.y + static_cast<std::int64_t>(std::floor(d.y)),
                     p.z + static_cast<std::int64_t>(std::floor(d.z))};
    const Vec3 f{d.x - std::floor(d.x), d.y - std::floor(d.y), d.z - std::floor(d.z)};
    double sum = 0;
    for (std::int64_t k = 0; k < 8; ++k) {
      const Index3 corner{k & 1, k >> 1 & 1, k >> 2};
      if (!moving_.holds(low + corner)) return std::nullopt;
      sum += (corner.x != 0 ? f.x : 1 - f.x) * (corner.y != 0 ? f.y : 1 - f.y) *
             (corner.z != 0 ? f.z : 1 - f.z) * static_cast<double>(moving_.values[moving_.at(low + corner)]);
    }
    return sum;
  }

  /// Central difference of the fixed band along one axis.
  std::optional<double> slope(Index3 p, Index3 step) const {
    if (!fixed_.holds(p + step) || !fixed_.holds(p - step)) return std::nullopt;
    return static_cast<double>(fixed_.values[fixed_.at(p + step)] - fixed_.values[fixed_.at(p - step)]) / 2;
  }

  /// One Gauss-Newton step for displacement, gain and offset.
  struct Step {
    Vec3 by;
    double error = 1e9;  ///< largest standard error
    Sums sums;
  };

  Step step(Vec3 d) const {
    using Vector = Eigen::Matrix<double, 5, 1>;
    Eigen::Matrix<double, 5, 5> normal = Eigen::Matrix<double, 5, 5>::Zero();
    Vector right = Vector::Zero();
    double squares = 0;
    Step result;
    for_inner(fixed_.size, margin_, 1, [&](Index3 p) {
      const auto gx = slope(p, {1, 0, 0}), gy = slope(p, {0, 1, 0}), gz = slope(p, {0, 0, 1});
      if (!gx || !gy || !gz || !fixed_.holds(p)) return;
      const auto m = sample(p, d);
      if (!m) return;
      const auto f = static_cast<double>(fixed_.values[fixed_.at(p)]);
      result.sums.add(f, *m);
      Vector j;
      j << *gx, *gy, *gz, f, 1;
      normal += j * j.transpose();
      right += j * *m;
      squares += *m * *m;
    });
    if (result.sums.n < static_cast<double>(kLeastVoxels)) return result;
    const Eigen::LDLT<Eigen::Matrix<double, 5, 5>> solver(normal);
    const Vector x = solver.solve(right);
    const double gain = x[3];
    if (!(gain > 0.05)) return result;
    const double residual = std::max(0.0, squares - right.dot(x)) / result.sums.n;
    const Eigen::Matrix<double, 5, 5> inverse = solver.solve(Eigen::Matrix<double, 5, 5>::Identity());
    result.error = std::sqrt(residual * kVoxelsPerSample * inverse.diagonal().head<3>().maxCoeff()) / gain;
    // m(p + d) = gain · f(p − by) there, so the match lies further by −by · slope, i.e. at d − by.
    result.by = {-x[0] / gain, -x[1] / gain, -x[2] / gain};
    return result;
  }

  std::optional<Vec3> refine(Vec3 start) const {
    constexpr int kSteps = 12;
    Vec3 d = start;
    Step last;
    for (int n = 0; n < kSteps; ++n) {
      last = step(d);
      if (last.error > 1e8) return std::nullopt;
      const auto bounded = [](double v) { return std::clamp(v, -1.0, 1.0); };
      d = d + Vec3{bounded(last.by.x), bounded(last.by.y), bounded(last.by.z)};
      const Vec3 moved = d - start;
      if (std::max({std::abs(moved.x), std::abs(moved.y), std::abs(moved.z)}) > 3) return std::nullopt;
      if (std::max({std::abs(last.by.x), std::abs(last.by.y), std::abs(last.by.z)}) < 0.005) break;
    }
    if (last.error > kMostError || last.sums.correlation() < kLeastCorrelation) return std::nullopt;
    return d;
  }

  Band fixed_, moving_;
  std::int64_t margin_;
};

/// Mean of the second over that of the first, of voxels that both hold.
double brightness_ratio(const OverlapBlock& block) {
  double a = 0, b = 0;
  for (std::size_t i = 0; i < block.fixed.size(); ++i) {
    if (std::isnan(block.fixed[i]) || std::isnan(block.moving[i])) continue;
    a += static_cast<double>(block.fixed[i]);
    b += static_cast<double>(block.moving[i]);
  }
  return a > 0 ? b / a : 0;
}

}  // namespace

std::optional<BlockMatch> match_block(const OverlapBlock& block, std::int64_t margin) {
  const Matcher matcher(block, margin);
  if (!matcher.has_content()) return std::nullopt;
  return BlockMatch{matcher.correlation(), brightness_ratio(block), matcher.displacement()};
}

}  // namespace spim::detail
