// link: spim_wavelet
#include "wavelet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "otsu.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "wavelet_options.hpp"

namespace spim {
namespace {

using Given = std::map<std::string, std::string>;

struct Frame {
  std::int64_t rows, columns;
  std::vector<float> pixels;

  Frame(std::int64_t r, std::int64_t c, float value = 0)
      : rows(r), columns(c), pixels(static_cast<std::size_t>(r * c), value) {}
  float& at(std::int64_t y, std::int64_t x) { return pixels[static_cast<std::size_t>(y * columns + x)]; }
  ImageView<float> view() { return {pixels.data(), rows, columns, columns}; }
};

Frame destriped(Frame frame, const Given& given = {}) {
  test::RecordingHost host;
  const test::TableOptions options(kWaveletOptions, given);
  WaveletDestriper(host, options.options()).apply(frame.view());
  return frame;
}

/// Smooth structure with noise, rows darkened by stripes.
Frame striped(std::int64_t rows, std::int64_t columns) {
  Frame frame(rows, columns);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (std::int64_t y = 0; y < rows; ++y) {
    const float stripe = y % 7 == 3 ? 0.7F : 1.0F;
    for (std::int64_t x = 0; x < columns; ++x) {
      const float tissue =
          400 + 300 * std::sin(static_cast<float>(x) / 9) * std::sin(static_cast<float>(y) / 11);
      frame.at(y, x) = std::round(100 + stripe * tissue + 5 * normal(random));
    }
  }
  return frame;
}

/// Mean absolute difference of neighbouring rows: what stripes raise.
double roughness(Frame& frame) {
  double sum = 0;
  for (std::int64_t y = 1; y < frame.rows; ++y) {
    double difference = 0;
    for (std::int64_t x = 0; x < frame.columns; ++x) difference += frame.at(y, x) - frame.at(y - 1, x);
    sum += std::abs(difference) / static_cast<double>(frame.columns);
  }
  return sum / static_cast<double>(frame.rows - 1);
}

TEST(WaveletDestriper, removes_stripes_along_the_rows) {
  Frame before = striped(256, 300);
  Frame after = destriped(before, {{"sigma1", "128"}, {"sigma2", "128"}, {"wavelet", "db5"}});
  EXPECT_LT(roughness(after), 0.1 * roughness(before));
}

TEST(WaveletDestriper, treats_vertical_stripes_as_the_turned_frame) {
  const auto turned = [](Frame frame) {
    Frame result(frame.columns, frame.rows);
    for (std::int64_t y = 0; y < frame.rows; ++y)
      for (std::int64_t x = 0; x < frame.columns; ++x) result.at(x, y) = frame.at(y, x);
    return result;
  };
  const Frame frame = striped(90, 133);
  EXPECT_EQ(turned(destriped(turned(frame), {{"stripe-direction", "vertical"}})).pixels,
            destriped(frame).pixels);
}

TEST(WaveletDestriper, leaves_constant_and_saturated_frames_as_they_are) {
  for (const float value : {0.0F, 1.0F, 1000.5F, 65535.0F})
    for (const Given& given : {Given{}, Given{{"sigma1", "5"}, {"sigma2", "5"}}, Given{{"threshold", "300"}},
                               Given{{"sigma1", "64"}, {"wavelet", "db20"}}}) {
      // With a threshold that is not the value the formula mixes the two where they are close, and only
      // there.
      const Frame frame = destriped(Frame(77, 130, value), given);
      for (const float v : frame.pixels) ASSERT_NEAR(v, value, 1e-6 * value + 1e-3) << value;
    }
}

TEST(WaveletDestriper, gives_finite_results_for_every_shape_and_extreme_values) {
  for (const auto& [rows, columns] :
       {std::pair{1, 1}, {1, 2}, {2, 1}, {1, 64}, {64, 1}, {3, 3}, {5, 200}, {31, 17}})
    for (const std::string wavelet : {"haar", "db5", "db20"})
      for (const std::string level : {"0", "1", "6", "30"}) {
        Frame frame(rows, columns);
        std::mt19937 random(5);
        for (float& v : frame.pixels) v = random() % 2 == 0 ? 0.0F : 65535.0F;
        const Frame after = destriped(frame, {{"wavelet", wavelet}, {"level", level}});
        for (const float v : after.pixels)
          ASSERT_TRUE(std::isfinite(v)) << rows << " x " << columns << " " << wavelet;
      }
}

TEST(WaveletDestriper, neither_clips_nor_wraps_what_no_camera_gives) {
  Frame frame = striped(64, 64);
  frame.at(10, 10) = -40;
  frame.at(20, 20) = 3e5F;
  Frame after = destriped(frame);
  EXPECT_LT(after.at(10, 10), -1);
  EXPECT_GT(after.at(20, 20), 5000);
  for (const float v : after.pixels) EXPECT_TRUE(std::isfinite(v));
}

TEST(WaveletDestriper, refuses_samples_that_are_not_finite_and_leaves_the_frame_alone) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Frame frame = striped(20, 30);
    frame.at(7, 11) = bad;
    test::RecordingHost host;
    const test::TableOptions options(kWaveletOptions, {});
    WaveletDestriper destriper(host, options.options());
    const std::vector<float> before = frame.pixels;
    try {
      destriper.apply(frame.view());
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  testing::HasSubstr("row 7 of a frame of 20 x 30 holds samples that are not finite"));
    }
    EXPECT_EQ(frame.at(0, 0), before[0]);
    Frame good = striped(20, 30);  // the instance is not spoilt
    destriper.apply(good.view());
    EXPECT_EQ(good.pixels, destriped(striped(20, 30)).pixels);
  }
}

TEST(WaveletDestriper, gives_the_same_after_frames_of_another_shape) {
  test::RecordingHost host;
  const test::TableOptions options(kWaveletOptions, {});
  WaveletDestriper destriper(host, options.options());
  for (const auto& [rows, columns] : {std::pair{60, 80}, {33, 21}, {60, 80}, {80, 60}}) {
    Frame frame = striped(rows, columns);
    destriper.apply(frame.view());
    EXPECT_EQ(frame.pixels, destriped(striped(rows, columns)).pixels);
  }
}

TEST(WaveletDestriper, uses_the_pipeline_s_bandwidths_when_none_is_given) {
  const Frame frame = striped(70, 90);
  EXPECT_EQ(destriped(frame).pixels, destriped(frame, {{"sigma1", "128"}, {"sigma2", "512"}}).pixels);
  EXPECT_NE(destriped(frame, {{"sigma1", "128"}}).pixels, destriped(frame).pixels);
}

TEST(WaveletDestriper, refuses_unknown_wavelets_when_it_is_made) {
  EXPECT_THROW(destriped(Frame(4, 4), {{"wavelet", "db99"}}), UsageError);
}

double otsu(std::vector<float> pixels) {
  wavelet::Histogram histogram;
  const auto n = static_cast<std::int64_t>(pixels.size());
  return wavelet::otsu_threshold({pixels.data(), 1, n, n}, histogram);
}

TEST(OtsuThreshold, is_the_last_dark_level_of_two_groups) {
  EXPECT_EQ(otsu({10, 10, 10, 200, 200}), 10);
  EXPECT_EQ(otsu({10, 12, 11, 65535, 65000}), 12);
}

TEST(OtsuThreshold, of_a_constant_frame_is_its_value) {
  EXPECT_EQ(otsu({0, 0, 0}), 0);
  EXPECT_EQ(otsu({65535}), 65535);
  EXPECT_EQ(otsu({7.25F, 7.25F}), 7.25);
}

TEST(OtsuThreshold, counts_fractions_at_the_nearest_level_and_outliers_at_the_ends) {
  EXPECT_EQ(otsu({10.4F, 9.6F, 10.2F, 200, 200}), 10);
  EXPECT_EQ(otsu({-50, -50, 1e9F, 1e9F}), 0);
}

}  // namespace
}  // namespace spim
