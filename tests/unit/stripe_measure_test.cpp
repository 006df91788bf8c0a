#include "spim/host/stripe_measure.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "spim/error.hpp"

namespace {

using spim::ImageView;
using spim::StripeDirection;

/// Tissue of smooth random spots with noise, and rows (or columns) that are brighter or darker.
struct Scene {
  std::int64_t rows, columns;
  std::vector<float> samples;
  ImageView<const float> view() const { return {samples.data(), rows, columns, columns}; }
};

Scene scene(std::int64_t rows, std::int64_t columns, double strength, StripeDirection direction) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  Scene result{rows, columns, std::vector<float>(static_cast<std::size_t>(rows * columns))};
  std::vector<double> stripes(static_cast<std::size_t>(std::max(rows, columns)));
  for (double& stripe : stripes) stripe = std::exp(strength * normal(random));
  for (std::int64_t y = 0; y < rows; ++y)
    for (std::int64_t x = 0; x < columns; ++x) {
      const double tissue =
          800 + 300 * std::sin(static_cast<double>(y) / 30) * std::cos(static_cast<double>(x) / 40);
      const double stripe =
          stripes[static_cast<std::size_t>(direction == StripeDirection::horizontal ? y : x)];
      const double light = tissue * stripe;
      result.samples[static_cast<std::size_t>(y * columns + x)] =
          static_cast<float>(light + std::sqrt(light) * normal(random));
    }
  return result;
}

TEST(MeasureStripes, FindsTheirStrengthAlongEitherDirection) {
  for (const StripeDirection direction : {StripeDirection::horizontal, StripeDirection::vertical}) {
    const auto measured = spim::measure_stripes(scene(300, 256, 0.05, direction).view(), direction);
    EXPECT_NEAR(std::sqrt(measured.stripes), 0.05, 0.01);
    EXPECT_GT(measured.harmonics.front(), 50 * measured.floor);
  }
}

TEST(MeasureStripes, FindsNoneWhereThereAreNone) {
  const Scene plain = scene(300, 256, 0, StripeDirection::horizontal);
  const auto measured = spim::measure_stripes(plain.view(), StripeDirection::horizontal);
  EXPECT_LT(std::sqrt(measured.stripes), 0.006);
  const Scene other = scene(300, 256, 0.05, StripeDirection::vertical);
  EXPECT_LT(std::sqrt(spim::measure_stripes(other.view(), StripeDirection::horizontal).stripes), 0.02);
}

/// Divides rows by their means relative to the neighbourhood, more of them the larger sigma is.
class RowMeans final : public spim::Destriper {
 public:
  explicit RowMeans(double sigma)
      : share_(std::min(1.0, sigma / 16)), waste_(sigma > 16 ? sigma / 1000 : 0) {}
  void apply(ImageView<float> frame) override {
    for (std::int64_t y = 0; y < frame.rows; ++y) {
      double sum = 0;
      for (std::int64_t x = 0; x < frame.columns; ++x) sum += frame.row(y)[x];
      const double mean = sum / static_cast<double>(frame.columns);
      for (std::int64_t x = 0; x < frame.columns; ++x) {
        const double wave = 1 + waste_ * std::sin(static_cast<double>(x) / 3);
        frame.row(y)[x] = static_cast<float>(frame.row(y)[x] * std::pow(800 / mean, share_) * wave);
      }
    }
  }

 private:
  double share_, waste_;
};

TEST(ChooseBandwidth, TakesTheOneThatRemovesStripesAndLosesLeast) {
  const Scene striped = scene(300, 256, 0.05, StripeDirection::horizontal);
  const auto choice = spim::choose_bandwidth(striped.view(), StripeDirection::horizontal,
                                             [](double sigma) { return std::make_unique<RowMeans>(sigma); });
  EXPECT_EQ(choice.sigma, 16);
  ASSERT_EQ(choice.trials.size(), 8U);  // 0, 2, 4 … 128
  EXPECT_GT(choice.trials[1].left, 10 * choice.trials[4].left);
  EXPECT_GT(choice.trials[7].lost, 10 * choice.trials[4].lost);
}

TEST(ChooseBandwidth, FiltersNothingWhereThereAreNoStripes) {
  const Scene plain = scene(300, 256, 0, StripeDirection::horizontal);
  const auto choice = spim::choose_bandwidth(plain.view(), StripeDirection::horizontal,
                                             [](double sigma) { return std::make_unique<RowMeans>(sigma); });
  EXPECT_EQ(choice.sigma, 0);
}

TEST(MeasureStripes, RefusesImagesThatAreTooSmall) {
  EXPECT_THROW(spim::measure_stripes(scene(15, 100, 0, StripeDirection::horizontal).view(),
                                     StripeDirection::horizontal),
               spim::Error);
  EXPECT_THROW(
      spim::measure_stripes(scene(15, 100, 0, StripeDirection::horizontal).view(), StripeDirection::vertical),
      spim::Error);
}

}  // namespace
