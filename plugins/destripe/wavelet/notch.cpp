#include "notch.hpp"

#include <cmath>
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

Notch::Half Notch::design(NotchSpec spec, Symmetry symmetry) {
  const std::int64_t length = spec.length, half = length / 2;
  const std::vector<double> cosines = circle(length);
  const auto cosine = [&](std::int64_t i) { return cosines[static_cast<std::size_t>(i % length)]; };
  const auto weight = [&](std::int64_t k) {
    const double u = static_cast<double>(k) / spec.sigma;
    return std::exp(-0.5 * u * u);
  };
  // Packed index of harmonic m: 2m − 1 for cosines, 2m for sines, of which the first and, in rows of even
  // length, the last are zero and may have any weight: the one that continues the curve.
  std::vector<double> wanted;
  for (std::int64_t m = 0; m <= half; ++m)
    wanted.push_back(weight(symmetry == Symmetry::odd ? 2 * m : m == 0 ? 0 : 2 * m - 1));
  const auto exists = [&](std::int64_t m) { return symmetry == Symmetry::even || (m > 0 && 2 * m < length); };
  const auto times = [&](std::int64_t m) { return m == 0 || 2 * m == length ? 1.0 : 2.0; };

  std::vector<double> impulse;  // the exact kernel, as far as it may be used
  for (std::int64_t n = 0; n <= std::min(half, std::int64_t{*(std::end(kRadii) - 1)}); ++n) {
    double sum = 0;
    for (std::int64_t m = 0; m <= half; ++m)
      sum += times(m) * wanted[static_cast<std::size_t>(m)] * cosine(m * n);
    impulse.push_back(sum / static_cast<double>(length));
  }

  double least = std::numeric_limits<double>::infinity();
  std::vector<double> best, best_response;
  for (const std::int64_t radius : kRadii) {
    if (radius >= static_cast<std::int64_t>(impulse.size())) break;
    std::vector<double> kernel;
    for (std::int64_t n = 0; n <= radius; ++n)
      kernel.push_back(impulse[static_cast<std::size_t>(n)] * taper(n, radius));
    const std::vector<double> got = response(kernel, cosines, wanted.size());
    double cost = 2.0 * static_cast<double>(radius) + 1;
    for (std::int64_t m = 0; m <= half; ++m) {
      const auto i = static_cast<std::size_t>(m);
      if (exists(m) && std::abs(wanted[i] - got[i]) > kTolerance) cost += kHarmonicCost;
    }
    if (cost >= least) continue;
    least = cost;
    best = kernel;
    best_response = got;
  }

  Half result;
  result.kernel.assign(best.begin(), best.end());
  std::vector<std::int64_t> harmonics;
  for (std::int64_t m = 0; m <= half; ++m) {
    const double missing = wanted[static_cast<std::size_t>(m)] - best_response[static_cast<std::size_t>(m)];
    if (!exists(m) || std::abs(missing) <= kTolerance) continue;
    harmonics.push_back(m);
    // Twice, because the sums run over half of the row.
    result.weights.push_back(static_cast<float>(2 * times(m) * missing / static_cast<double>(length)));
  }
  result.waves = Plane(static_cast<std::int64_t>(harmonics.size()), half + 1);
  for (std::size_t h = 0; h < harmonics.size(); ++h)
    for (std::int64_t n = 0; n <= half; ++n) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(harmonics[h] * n % length) / static_cast<double>(length);
      result.waves.row(static_cast<std::int64_t>(h))[n] =
          static_cast<float>(symmetry == Symmetry::even ? std::cos(angle) : std::sin(angle));
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
