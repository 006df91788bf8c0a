#include "spim/host/stripe_measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <unsupported/Eigen/FFT>
#include <utility>

#include "spim/error.hpp"
#include "spim/host/owned_image.hpp"

namespace spim {

namespace {

/// Half of the length across stripes over which their surroundings are averaged.
constexpr std::int64_t kReach = 16;
constexpr std::int64_t kLeastAcross = 16, kLeastAlong = 64;
/// Shortest bandwidth that is tried; each further one is twice as long.
constexpr double kFirstSigma = 2;

/// A bandwidth must cost no more than this share of the stripes that are there, else it is not taken: what
/// chance puts above the floor can be filtered as well.
constexpr double kWorthwhile = 0.5;

/// Harmonics [first, last] along stripes of `along` samples in which only tissue and noise are expected;
/// those below may hold stripes.
struct FloorBand {
  std::int64_t first, last;
};
FloorBand floor_band(std::int64_t along) noexcept {
  return {std::max<std::int64_t>(8, along / 128), std::max<std::int64_t>(16, along / 32)};
}

/// ln(1 + level), stripes along the rows.
OwnedImage<float> logarithm(ImageView<const float> image, StripeDirection direction) {
  const bool turned = direction == StripeDirection::vertical;
  OwnedImage<float> result(turned ? image.columns : image.rows, turned ? image.rows : image.columns);
  const ImageView<float> out = result.view();
  for (std::int64_t y = 0; y < image.rows; ++y)
    for (std::int64_t x = 0; x < image.columns; ++x)
      (turned ? out.row(x)[y] : out.row(y)[x]) = std::log1p(std::max(0.0F, image.row(y)[x]));
  return result;
}

/// Subtracts the mean over 2·kReach + 1 rows, the first and last rows repeated at the ends.
OwnedImage<float> without_slow_changes(const OwnedImage<float>& image) {
  OwnedImage<float> result(image.rows, image.columns);
  const auto row = [&](std::int64_t y) {
    return image.view().row(std::clamp<std::int64_t>(y, 0, image.rows - 1));
  };
  std::vector<double> sum(static_cast<std::size_t>(image.columns));
  for (std::int64_t y = -kReach; y <= kReach; ++y)
    for (std::int64_t x = 0; x < image.columns; ++x) sum[static_cast<std::size_t>(x)] += row(y)[x];
  for (std::int64_t y = 0; y < image.rows; ++y) {
    float* const out = result.view().row(y);
    for (std::int64_t x = 0; x < image.columns; ++x) {
      double& s = sum[static_cast<std::size_t>(x)];
      out[x] = static_cast<float>(row(y)[x] - s / (2 * kReach + 1));
      s += static_cast<double>(row(y + kReach + 1)[x]) - row(y - kReach)[x];
    }
  }
  return result;
}

/// Twice, because once lets a twentieth of what changes over a hundred rows through.
OwnedImage<float> only_fine_changes(const OwnedImage<float>& image) {
  return without_slow_changes(without_slow_changes(image));
}

/// Mean over the rows of the squared harmonics along them.
std::vector<double> row_spectrum(const OwnedImage<float>& image) {
  Eigen::FFT<float> transform;
  transform.SetFlag(Eigen::FFT<float>::HalfSpectrum);
  std::vector<std::complex<float>> spectrum;
  std::vector<float> row(static_cast<std::size_t>(image.columns));
  std::vector<double> power(static_cast<std::size_t>(image.columns / 2 + 1));
  const double scale = 1 / (static_cast<double>(image.columns) * static_cast<double>(image.columns) *
                            static_cast<double>(image.rows));
  for (std::int64_t y = 0; y < image.rows; ++y) {
    std::copy_n(image.view().row(y), image.columns, row.begin());
    transform.fwd(spectrum, row);
    for (std::size_t m = 0; m < power.size(); ++m) power[m] += scale * std::norm(spectrum[m]);
  }
  return power;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// What the harmonics below the band have above the floor. All but harmonic 0 occur with both signs.
double excess(const std::vector<double>& harmonics, double floor, const FloorBand& band) {
  double sum = 0;
  for (std::int64_t m = 0; m < band.first; ++m)
    sum += (m == 0 ? 1 : 2) * std::max(0.0, harmonics[static_cast<std::size_t>(m)] - floor);
  return sum;
}

double mean_square_difference(const OwnedImage<float>& a, const OwnedImage<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const double d = static_cast<double>(a.samples[i]) - b.samples[i];
    sum += d * d;
  }
  return sum / static_cast<double>(a.samples.size());
}

StripePower power_of(const OwnedImage<float>& logarithms) {
  if (logarithms.rows < kLeastAcross || logarithms.columns < kLeastAlong)
    throw Error(
        fmt::format("an image of {} samples across and {} along the stripes is too small to measure them; "
                    "the least is {} "
                    "and {}, choose the bandwidth yourself",
                    logarithms.rows, logarithms.columns, kLeastAcross, kLeastAlong));
  const FloorBand band = floor_band(logarithms.columns);
  StripePower power;
  power.harmonics = row_spectrum(only_fine_changes(logarithms));
  power.floor = median({power.harmonics.begin() + band.first, power.harmonics.begin() + band.last + 1});
  power.stripes = excess(power.harmonics, power.floor, band);
  return power;
}

}  // namespace

StripePower measure_stripes(ImageView<const float> image, StripeDirection direction) {
  return power_of(logarithm(image, direction));
}

BandwidthChoice choose_bandwidth(ImageView<const float> image, StripeDirection direction,
                                 const DestriperOfSigma& destriper) {
  const OwnedImage<float> before = logarithm(image, direction);
  BandwidthChoice choice;
  choice.before = power_of(before);
  choice.trials.push_back({0, choice.before.stripes, 0});
  const FloorBand band = floor_band(before.columns);
  for (double sigma = kFirstSigma; 2 * sigma <= static_cast<double>(std::max(before.rows, before.columns));
       sigma *= 2) {
    OwnedImage<float> filtered(image.rows, image.columns);
    for (std::int64_t y = 0; y < image.rows; ++y)
      std::copy_n(image.row(y), image.columns, filtered.view().row(y));
    destriper(sigma)->apply(filtered.view());
    const OwnedImage<float> after = logarithm(std::as_const(filtered).view(), direction);
    BandwidthTrial trial{sigma, excess(row_spectrum(only_fine_changes(after)), choice.before.floor, band), 0};
    const double removed = mean_square_difference(before, after);
    trial.lost = std::max(0.0, removed - std::max(0.0, choice.before.stripes - trial.left));
    choice.trials.push_back(trial);
  }
  const BandwidthTrial& best = *std::ranges::min_element(choice.trials, {}, &BandwidthTrial::cost);
  choice.sigma = best.cost() <= kWorthwhile * choice.before.stripes ? best.sigma : 0;
  return choice;
}

}  // namespace spim
