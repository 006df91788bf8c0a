#include "notch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels.hpp"

namespace spim::wavelet {
namespace {

/// Radii of convolutions that are tried; −1 is none.
constexpr std::int64_t kRadii[] = {-1, 0,  2,  4,  6,  8,  10, 12, 14, 16, 20,
                                   24, 28, 32, 36, 40, 48, 56, 64, 80, 96};

/// Cost of one harmonic relative to one tap: a product each to find and to set it, and its table comes from a
/// farther cache.
constexpr double kHarmonicCost = 3;

/// Cosines of one circle, cos(2π i / length).
std::vector<double> circle(std::int64_t length) {
  std::vector<double> result(static_cast<std::size_t>(length));
  for (std::int64_t i = 0; i < length; ++i)
    result[static_cast<std::size_t>(i)] =
        std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length));
  return result;
}

/// 1 up to half of the radius, then falling to 0 as a cosine does, so that cutting the kernel off does not
/// ring.
double taper(std::int64_t distance, std::int64_t radius) {
  const double u = 2.0 * static_cast<double>(distance) / static_cast<double>(radius + 1) - 1;
  return u < 0 ? 1 : 0.5 + 0.5 * std::cos(std::numbers::pi * u);
}

/// Response of a symmetric kernel of the given radius to every harmonic.
std::vector<double> response(const std::vector<double>& kernel, const std::vector<double>& cosines,
                             std::size_t harmonics) {
  std::vector<double> result(harmonics, 0.0);
  for (std::size_t m = 0; m < harmonics; ++m)
    for (std::size_t n = 0; n < kernel.size(); ++n)
      result[m] += (n == 0 ? 1 : 2) * kernel[n] * cosines[m * n % cosines.size()];
  return result;
}

}  // namespace

Notch::Spectrum Notch::spectrum(NotchSpec spec, Symmetry symmetry) {
  const std::int64_t half = spec.length / 2;
  Spectrum result;
  result.cosines = circle(spec.length);
  for (std::int64_t m = 0; m <= half; ++m) {
    const bool alone = m == 0 || 2 * m == spec.length;
    result.times.push_back(alone ? 1 : 2);
    // A sine that is zero everywhere may have any weight: the one that continues the curve.
    result.exists.push_back(symmetry == Symmetry::even || !alone);
    const std::int64_t k = symmetry == Symmetry::odd ? 2 * m : std::max(std::int64_t{0}, 2 * m - 1);
    const double u = static_cast<double>(k) / spec.sigma;
    result.weights.push_back(std::exp(-0.5 * u * u));
  }
  return result;
}

std::vector<double> Notch::impulse(const Spectrum& spectrum, std::size_t samples) {
  const std::size_t length = spectrum.cosines.size();
  std::vector<double> result(samples, 0.0);
  for (std::size_t n = 0; n < samples; ++n) {
    for (std::size_t m = 0; m < spectrum.weights.size(); ++m)
      result[n] += spectrum.times[m] * spectrum.weights[m] * spectrum.cosines[m * n % length];
    result[n] /= static_cast<double>(length);
  }
  return result;
}

Notch::Split Notch::cheapest_split(const Spectrum& spectrum) {
  const std::size_t harmonics = spectrum.weights.size();
  constexpr std::int64_t kLargest = *(std::end(kRadii) - 1);
  const std::vector<double> exact = impulse(spectrum, std::min<std::size_t>(harmonics, kLargest + 1));
  Split best;
  double least = std::numeric_limits<double>::infinity();
  for (const std::int64_t radius : kRadii) {
    if (radius >= static_cast<std::int64_t>(exact.size())) break;
    Split split;
    for (std::int64_t n = 0; n <= radius; ++n)
      split.kernel.push_back(exact[static_cast<std::size_t>(n)] * taper(n, radius));
    const std::vector<double> got = response(split.kernel, spectrum.cosines, harmonics);
    for (std::size_t m = 0; m < harmonics; ++m) {
      const double missing = spectrum.weights[m] - got[m];
      if (spectrum.exists[m] && std::abs(missing) > kTolerance) split.corrections.push_back({m, missing});
    }
    const double cost =
        2.0 * static_cast<double>(radius) + 1 + kHarmonicCost * static_cast<double>(split.corrections.size());
    if (cost >= least) continue;
    least = cost;
    best = std::move(split);
  }
  return best;
}

Notch::Half Notch::design(NotchSpec spec, Symmetry symmetry) {
  const Spectrum given = spectrum(spec, symmetry);
  const Split split = cheapest_split(given);
  const std::size_t length = given.cosines.size();
  Half result;
  result.kernel.assign(split.kernel.begin(), split.kernel.end());
  result.waves = Plane(static_cast<std::int64_t>(split.corrections.size()), spec.length / 2 + 1);
  for (std::size_t i = 0; i < split.corrections.size(); ++i) {
    const auto [m, missing] = split.corrections[i];
    // Twice, because the sums run over half of the row.
    result.weights.push_back(static_cast<float>(2 * given.times[m] * missing / static_cast<double>(length)));
    float* wave = result.waves.row(static_cast<std::int64_t>(i));
    for (std::size_t n = 0; n <= length / 2; ++n) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(m * n % length) / static_cast<double>(length);
      wave[n] = static_cast<float>(symmetry == Symmetry::even ? std::cos(angle) : std::sin(angle));
    }
  }
  return result;
}

Notch::Notch(NotchSpec spec)
    : length_(spec.length),
      half_length_(spec.length / 2 + 1),
      even_(design(spec, Symmetry::even)),
      odd_(design(spec, Symmetry::odd)) {
  margin_ = padded(static_cast<std::int64_t>(std::max(even_.kernel.size(), odd_.kernel.size())));
}

std::int64_t Notch::scratch_size() const noexcept {
  const std::int64_t part = padded(half_length_) + 2 * margin_;
  const std::int64_t weights =
      padded(static_cast<std::int64_t>(std::max(even_.weights.size(), odd_.weights.size())));
  return 2 * part + padded(half_length_) + weights;
}

void Notch::filter(const Half& half, Symmetry symmetry, float* part, float* scratch) const {
  const Kernels& k = kernels();
  const std::int64_t n = half_length_, stride = padded(n);
  const auto count = static_cast<std::int64_t>(half.weights.size());
  float* result = scratch;
  float* sums = scratch + stride;
  const std::int64_t radius = static_cast<std::int64_t>(half.kernel.size()) - 1;
  if (radius >= 0) {
    const float sign = symmetry == Symmetry::even ? 1.0F : -1.0F;
    for (std::int64_t i = 1; i <= radius; ++i) {
      part[-i] = sign * part[i];
      part[n - 1 + i] = sign * part[length_ - (n - 1 + i)];
    }
    k.convolve(part, half.kernel.data(), radius, result, n);
  } else {
    std::fill_n(result, stride, 0.0F);
  }
  if (count > 0) {
    // Each sample stands for two of the row, except those that are their own mirror image.
    std::fill(part + n, part + stride, 0.0F);
    part[0] *= 0.5F;
    if (length_ % 2 == 0) part[n - 1] *= 0.5F;
    k.project(part, half.waves.row(0), stride, sums, count);
    for (std::int64_t m = 0; m < count; ++m) sums[m] *= half.weights[static_cast<std::size_t>(m)];
    k.expand(sums, half.waves.row(0), stride, result, count);
  }
  std::copy_n(result, n, part);
}

void Notch::apply(float* row, float* scratch) const {
  const std::int64_t part = padded(half_length_) + 2 * margin_;
  float* even = scratch + margin_;
  float* odd = scratch + part + margin_;
  even[0] = row[0];
  odd[0] = 0;
  for (std::int64_t i = 1; i < half_length_; ++i) {
    const float a = row[i], b = row[length_ - i];
    even[i] = 0.5F * (a + b);
    odd[i] = 0.5F * (a - b);
  }
  filter(even_, Symmetry::even, even, scratch + 2 * part);
  filter(odd_, Symmetry::odd, odd, scratch + 2 * part);
  row[0] = even[0];
  for (std::int64_t i = 1; i < half_length_; ++i) {
    row[i] = even[i] + odd[i];
    row[length_ - i] = even[i] - odd[i];
  }
}

}  // namespace spim::wavelet
