// link: spim_wavelet
#include "filters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "spim/error.hpp"

namespace spim::wavelet {
namespace {

std::vector<std::string> all_names() {
  std::vector<std::string> names{"haar"};
  for (int n = 1; n <= 20; ++n) names.push_back("db" + std::to_string(n));
  for (int n = 2; n <= 20; ++n) names.push_back("sym" + std::to_string(n));
  for (int n = 1; n <= 6; ++n) names.push_back("coif" + std::to_string(n));
  return names;
}

/// Vanishing moments and taps that the name promises.
std::pair<int, std::size_t> promised(const std::string& name) {
  if (name == "haar") return {1, 2};
  const int order = std::stoi(name.substr(name.find_first_of("0123456789")));
  const bool coiflet = name.starts_with("coif");
  return {coiflet ? 2 * order : order, static_cast<std::size_t>((coiflet ? 6 : 2) * order)};
}

TEST(WaveletFilters, are_orthonormal_to_their_even_shifts) {
  for (const std::string& name : all_names()) {
    const std::vector<double> f = decomposition_filter(name);
    ASSERT_EQ(f.size() % 2, 0U) << name;
    for (std::size_t shift = 0; shift < f.size(); shift += 2) {
      double product = 0;
      for (std::size_t k = 0; k + shift < f.size(); ++k) product += f[k] * f[k + shift];
      EXPECT_NEAR(product, shift == 0 ? 1 : 0, 5e-15) << name << " shifted by " << shift;
    }
  }
}

TEST(WaveletFilters, have_their_vanishing_moments) {
  for (const std::string& name : all_names()) {
    const std::vector<double> f = decomposition_filter(name), g = high_pass_of(f);
    const auto [moments, taps] = promised(name);
    ASSERT_EQ(f.size(), taps) << name;
    const double middle = 0.5 * static_cast<double>(f.size() - 1);
    for (int moment = 0; moment < moments; ++moment) {
      double sum = 0, size = 0;
      for (std::size_t k = 0; k < g.size(); ++k) {
        const double term = g[k] * std::pow((static_cast<double>(k) - middle) / middle, moment);
        sum += term;
        size += std::abs(term);
      }
      EXPECT_LE(std::abs(sum), 1e-14 * std::max(size, 1.0)) << name << " moment " << moment;
    }
  }
}

TEST(WaveletFilters, of_coiflets_have_vanishing_moments_of_the_low_pass_too) {
  for (int order = 1; order <= 6; ++order) {
    const std::vector<double> f = decomposition_filter("coif" + std::to_string(order));
    double mean = 0, sum = 0;
    for (std::size_t k = 0; k < f.size(); ++k) {
      sum += f[k];
      mean += static_cast<double>(k) * f[k];
    }
    EXPECT_NEAR(sum, std::numbers::sqrt2, 1e-14);
    mean /= sum;
    EXPECT_NEAR(mean, std::round(mean), 1e-12) << order;
    for (int moment = 2; moment < 2 * order; ++moment) {
      double total = 0;
      for (std::size_t k = 0; k < f.size(); ++k)
        total += f[k] * std::pow((static_cast<double>(k) - mean) / static_cast<double>(f.size()), moment);
      EXPECT_NEAR(total, 0, 1e-14) << order << " moment " << moment;
    }
  }
}

TEST(WaveletFilters, of_two_and_four_taps_are_the_known_ones) {
  const double s = std::numbers::sqrt2, r = std::numbers::sqrt3;
  EXPECT_THAT(decomposition_filter("haar"),
              testing::ElementsAre(testing::DoubleEq(s / 2), testing::DoubleEq(s / 2)));
  EXPECT_THAT(decomposition_filter("db2"),
              testing::ElementsAre(testing::DoubleNear((1 - r) / (4 * s), 1e-15),
                                   testing::DoubleNear((3 - r) / (4 * s), 1e-15),
                                   testing::DoubleNear((3 + r) / (4 * s), 1e-15),
                                   testing::DoubleNear((1 + r) / (4 * s), 1e-15)));
}

TEST(WaveletFilters, of_symlets_are_more_symmetric_than_those_of_daubechies) {
  // Distance of the filter's centre of energy from its middle.
  const auto skew = [](const std::vector<double>& f) {
    double centre = 0;
    for (std::size_t k = 0; k < f.size(); ++k) centre += static_cast<double>(k) * f[k] * f[k];
    return std::abs(centre - 0.5 * static_cast<double>(f.size() - 1));
  };
  for (int n = 4; n <= 20; ++n)
    EXPECT_LT(skew(decomposition_filter("sym" + std::to_string(n))),
              0.5 * skew(decomposition_filter("db" + std::to_string(n))))
        << n;
}

TEST(WaveletFilters, of_other_names_are_refused_with_the_known_ones) {
  for (const std::string name :
       {"", "db", "db0", "db21", "db05", "db3x", "sym1", "sym21", "DB3", "bior2.2", "coif0", "coif7"}) {
    try {
      decomposition_filter(name);
      ADD_FAILURE() << name;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("wavelet " + name + " is not known"),
                                               testing::HasSubstr("db1 to db20")));
    }
  }
}

}  // namespace
}  // namespace spim::wavelet
