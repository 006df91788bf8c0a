#include "frame_noise.hpp"

#include <algorithm>
#include <cmath>

#include "phantom/hash.hpp"

namespace spim {

namespace {

/// From here on a Poisson number is a normal one with its skewness corrected; below it is drawn exactly.
constexpr double kManyElectrons = 16;

/// Uniform in (0, 1), never 0 or 1.
double open_unit(std::uint64_t bits) noexcept {
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
}
double open_unit32(std::uint32_t bits) noexcept {
  return (static_cast<double>(bits) + 0.5) * 0x1p-32;
}

/// The Poisson quantile of `p` for a small mean, by summing probabilities.
double few_electrons(double mean, double p) noexcept {
  double probability = std::exp(-mean), sum = probability;
  double n = 0;
  while (p > sum && n < 200) {
    n += 1;
    probability *= mean / n;
    sum += probability;
  }
  return n;
}

double expose(const CameraNoise& camera, double light, std::uint64_t bits) noexcept {
  const double gain = camera.electrons_per_level;
  if (gain <= 0 || light <= 0) return light + camera.read_noise * normal_quantile(open_unit(bits));
  const double mean = light * gain;
  if (mean < kManyElectrons) {
    const double electrons = few_electrons(mean, open_unit32(static_cast<std::uint32_t>(bits >> 32)));
    return electrons / gain +
           camera.read_noise * normal_quantile(open_unit32(static_cast<std::uint32_t>(bits)));
  }
  // Shot and read noise together: variance m + ρ², third cumulant m (Cornish and Fisher 1938, first order).
  const double z = normal_quantile(open_unit(bits));
  const double read = camera.read_noise * gain;
  const double variance = mean + read * read;
  return (mean + std::sqrt(variance) * z + mean / variance * (z * z - 1) / 6) / gain;
}

}  // namespace

double normal_quantile(double p) noexcept {
  // Rational approximations by P. J. Acklam; relative error below 1.2e-9.
  constexpr double kTail = 0.02425;
  const double nearer = std::min(p, 1 - p);
  if (nearer < kTail) {
    const double q = std::sqrt(-2 * std::log(nearer));
    const double x =
        (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) * q -
           2.549732539343734e+00) *
              q +
          4.374664141464968e+00) *
             q +
         2.938163982698783e+00) /
        ((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q +
          3.754408661907416e+00) *
             q +
         1);
    return p < 0.5 ? x : -x;
  }
  const double q = p - 0.5, r = q * q;
  return (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r +
            1.383577518672690e+02) *
               r -
           3.066479806614716e+01) *
              r +
          2.506628277459239e+00) *
         q /
         (((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r +
            6.680131188771972e+01) *
               r -
           1.328068155288572e+01) *
              r +
          1);
}

void add_noise(const CameraNoise& camera, std::uint64_t key, std::int64_t first, std::int64_t count,
               const float* signal, std::uint16_t* out) noexcept {
  for (std::int64_t n = 0; n < count; ++n) {
    const std::uint64_t bits = mix(key + static_cast<std::uint64_t>(first + n) * kGoldenStep);
    const double level = camera.offset + expose(camera, static_cast<double>(signal[n]) - camera.offset, bits);
    out[n] = static_cast<std::uint16_t>(std::clamp(level + 0.5, 0.0, 65535.0));
  }
}

}  // namespace spim
