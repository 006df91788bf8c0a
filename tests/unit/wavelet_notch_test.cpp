// link: spim_wavelet
#include "notch.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace spim::wavelet {
namespace {

/// irfft(w · rfft(row)) with w[k] = exp(−k² / 2σ²) on the packed index, by the sums of the definition.
std::vector<double> removed(const std::vector<double>& row, double sigma) {
  const std::size_t n = row.size();
  const auto weight = [&](std::size_t k) {
    const double u = static_cast<double>(k) / sigma;
    return std::exp(-0.5 * u * u);
  };
  std::vector<double> result(n, 0.0);
  for (std::size_t m = 0; 2 * m <= n; ++m) {
    double re = 0, im = 0;
    const auto angle = [&](std::size_t i) {
      return 2 * std::numbers::pi * static_cast<double>(m * i % n) / static_cast<double>(n);
    };
    for (std::size_t i = 0; i < n; ++i) {
      re += row[i] * std::cos(angle(i));
      im -= row[i] * std::sin(angle(i));
    }
    const bool alone = m == 0 || 2 * m == n;
    re *= weight(m == 0 ? 0 : 2 * m - 1) * (alone ? 1 : 2) / static_cast<double>(n);
    im *= weight(2 * m) * (alone ? 0 : 2) / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) result[i] += re * std::cos(angle(i)) - im * std::sin(angle(i));
  }
  return result;
}

void expect_removed(NotchSpec spec) {
  const auto n = static_cast<std::size_t>(spec.length);
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  std::vector<double> row(n);
  for (double& v : row) v = normal(random) + 1;
  const std::vector<double> expected = removed(row, spec.sigma);

  const Notch notch(spec);
  Buffer given(padded(spec.length)), scratch(notch.scratch_size());
  std::copy(row.begin(), row.end(), given.get());
  notch.apply(given.get(), scratch.get());
  double largest = 0, squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double error = std::abs(static_cast<double>(given.get()[i]) - expected[i]);
    largest = std::max(largest, error);
    squares += error * error;
  }
  // White noise of size 1 has all harmonics; none may be off by more than the tolerance.
  EXPECT_LE(std::sqrt(squares / static_cast<double>(n)), Notch::kTolerance)
      << spec.length << ", " << spec.sigma;
  EXPECT_LE(largest, 5 * Notch::kTolerance) << spec.length << ", " << spec.sigma;
}

TEST(WaveletNotch, is_the_gaussian_on_the_packed_spectrum) {
  for (const std::int64_t length : {1, 2, 3, 4, 5, 9, 24, 40, 72, 136, 263, 518, 1028})
    for (const double share : {0.001, 0.01, 0.0625, 0.25, 1.0, 10.0})
      expect_removed({length, share * static_cast<double>(length)});
}

TEST(WaveletNotch, may_be_narrower_than_an_index_or_wider_than_the_spectrum) {
  for (const double sigma : {1e-9, 0.01, 1e9}) expect_removed({100, sigma});
}

TEST(WaveletNotch, uses_no_more_than_its_scratch) {
  for (const double sigma : {2.0, 20.0, 64.25, 257.0}) {
    const Notch notch({1028, sigma});
    // Exactly the size, so that a sanitizer sees what goes beyond it.
    std::vector<float> scratch(static_cast<std::size_t>(notch.scratch_size()));
    std::vector<float> row(1056, 1.0F);
    notch.apply(row.data(), scratch.data());
    for (int i = 0; i < 1028; ++i) EXPECT_NEAR(row[static_cast<std::size_t>(i)], 1, 1e-5);
  }
}

}  // namespace
}  // namespace spim::wavelet
