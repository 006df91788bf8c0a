#include "spim/host/illumination.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "phantom/hash.hpp"
#include "spim/error.hpp"

namespace {

using spim::CameraStack;
using spim::Illumination;
using spim::IlluminationSettings;
using spim::OwnedImage;
using spim::PercentileSettings;
using testing::HasSubstr;

/// A camera file whose samples are a function of frame, row and column.
class ComputedFrames final : public spim::FrameReader {
 public:
  using Sample = std::function<double(std::int64_t frame, std::int64_t row, std::int64_t column)>;
  ComputedFrames(std::int64_t frames, std::int64_t rows, std::int64_t columns, Sample sample)
      : info_{frames, frames, rows, columns, spim::PixelType::u16}, sample_(std::move(sample)) {}

  spim::StackInfo info() const override { return info_; }
  void read(std::int64_t frame, std::int64_t first_row, spim::ImageView<std::uint16_t> out) override {
    for (std::int64_t i = 0; i < out.rows; ++i)
      for (std::int64_t j = 0; j < out.columns; ++j)
        out.row(i)[j] =
            static_cast<std::uint16_t>(std::clamp(std::rint(sample_(frame, first_row + i, j)), 0.0, 65535.0));
  }

 private:
  spim::StackInfo info_;
  Sample sample_;
};

CameraStack stack(std::int64_t frames, std::int64_t rows, std::int64_t columns,
                  ComputedFrames::Sample sample) {
  return {"scan.dcimg", std::make_shared<ComputedFrames>(frames, rows, columns, std::move(sample))};
}

double uniform(std::uint64_t seed, std::int64_t frame, std::int64_t row, std::int64_t column) {
  return spim::unit_double(spim::grid_key(seed, column, row, frame));
}
double normal(std::uint64_t seed, std::int64_t frame, std::int64_t row, std::int64_t column) {
  const double radius = std::sqrt(-2 * std::log(1 - uniform(seed, frame, row, column)));
  return radius * std::cos(6.283185307179586 * uniform(seed + 1, frame, row, column));
}

/// Tissue of log-normal brightness in three of four frames, lit by the profile that the simulator has too,
/// seen by a camera with a black of 100. Some 30 % of the pixels are never lit: those of a corner, and single
/// ones everywhere.
struct Scene {
  std::uint64_t seed = 1;
  std::int64_t frames = 120, rows = 128, columns = 128;

  double profile(std::int64_t row, std::int64_t column) const {
    const double u = static_cast<double>(column) / static_cast<double>(columns - 1) - 0.45;
    return 1 - 0.5 * (3 * u * u + 0.3 * static_cast<double>(row) / static_cast<double>(rows - 1)) / 1.2075;
  }
  bool lit(std::int64_t row, std::int64_t column) const {
    return 2 * row / rows + 3 * column / columns < 3 && uniform(seed + 7, 0, row, column) > 0.16;
  }
  double sample(std::int64_t frame, std::int64_t row, std::int64_t column) const {
    const bool tissue = lit(row, column) && uniform(seed + 11, frame, row, column) < 0.75;
    const double light =
        tissue ? 250 * std::exp(0.6 * normal(seed + 13, frame, row, column)) * profile(row, column) : 0;
    return 100 + light + std::sqrt(light / 0.46 + 12) * normal(seed + 17, frame, row, column);
  }
  CameraStack stack() const {
    return ::stack(frames, rows, columns,
                   [*this](std::int64_t f, std::int64_t i, std::int64_t j) { return sample(f, i, j); });
  }
};

class IlluminationTest : public testing::Test {
 protected:
  Illumination measure(const CameraStack& camera, const IlluminationSettings& settings,
                       int workers = 2) const {
    const spim::Executor executor(workers, cancel_);
    spim::NoProgress progress;
    return spim::measure_illumination(std::span(&camera, 1), settings, executor, progress);
  }
  std::string refusal(const CameraStack& camera, const IlluminationSettings& settings) const {
    try {
      measure(camera, settings);
    } catch (const spim::Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  OwnedImage<std::uint16_t> percentiles(const std::vector<CameraStack>& stacks,
                                        const PercentileSettings& settings, int workers = 2) const {
    const spim::Executor executor(workers, cancel_);
    spim::NoProgress progress;
    return spim::percentile_image(stacks, spim::sample_frames(stacks, 0, 1), settings, executor, progress)
        .bins;
  }
  spim::CancelToken cancel_;
};

/// The rule as it is written down, for one pixel.
std::int64_t bin_by_definition(const std::vector<std::int64_t>& samples, const PercentileSettings& s) {
  std::vector<double> counts(static_cast<std::size_t>(s.bins));
  for (const std::int64_t v : samples)
    if (v >= s.background) counts[static_cast<std::size_t>(std::min(v / s.values_per_bin, s.bins - 1))] += 1;
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
  const double target = s.percentile / 100 * counts.back();
  for (double& count : counts) count = std::abs(count - target);
  return std::min_element(counts.begin(), counts.end()) - counts.begin();
}

TEST_F(IlluminationTest, percentile_image_is_what_its_definition_says) {
  const auto sample = [](std::int64_t f, std::int64_t i, std::int64_t j) {
    // Most pixels within a few hundred levels, some over the whole range, some always the same.
    const double u = uniform(3, f, i, j);
    return j % 7 == 0 ? 65535 * u : j % 11 == 0 ? 200 : 60 + 500 * u * u;
  };
  struct Case {
    std::int64_t frames;
    PercentileSettings settings;
  };
  std::vector<Case> cases;
  for (const double percentile : {0.0, 3.0, 50.0, 95.0, 99.9, 100.0})
    for (const std::int64_t frames : {1, 2, 37})
      cases.push_back({frames, {percentile, 1024, 4, 150, 1 << 24}});
  cases.push_back({150, {95, 16, 40, 0, 1 << 24}});  // histograms take less room than values
  cases.push_back({150, {50, 16, 40, 150, 1 << 24}});
  cases.push_back({37, {95, 65536, 1, 150, 1 << 24}});  // every level a bin
  cases.push_back({37, {95, 3, 65536, 150, 1 << 24}});  // all levels in one bin
  cases.push_back({37, {95, 1024, 3, 65535, 1 << 24}});
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.frames << " frames, percentile " << c.settings.percentile << ", "
                                    << c.settings.bins << " bins of " << c.settings.values_per_bin);
    const auto bins = percentiles({stack(c.frames, 9, 45, sample)}, c.settings);
    for (std::int64_t i = 0; i < 9; ++i)
      for (std::int64_t j = 0; j < 45; ++j) {
        std::vector<std::int64_t> samples;
        for (std::int64_t f = 0; f < c.frames; ++f) samples.push_back(std::llrint(sample(f, i, j)));
        ASSERT_EQ(bins.view().row(i)[j], bin_by_definition(samples, c.settings)) << i << " " << j;
      }
  }
}

TEST_F(IlluminationTest, memory_and_workers_change_the_bands_but_not_the_result) {
  const auto sample = [](std::int64_t f, std::int64_t i, std::int64_t j) {
    return 900 * uniform(5, f, i, j);
  };
  const std::vector<CameraStack> stacks{stack(30, 64, 150, sample), stack(50, 64, 150, sample)};
  const spim::Executor executor(1, cancel_);
  for (const std::int64_t bins : {1024, 8}) {
    PercentileSettings settings{95, bins, 4, 150, 1 << 30};
    const auto whole = percentiles(stacks, settings, 1);
    const auto roomy = spim::plan_percentile(stacks, 80, settings, executor);
    EXPECT_EQ(roomy.band_rows, 64);
    EXPECT_EQ(roomy.store, bins == 8 ? spim::SampleStore::histograms : spim::SampleStore::values);
    settings.memory_bytes = 3'000'000;
    const auto tight = spim::plan_percentile(stacks, 80, settings, executor);
    EXPECT_LT(tight.band_rows, 64);
    EXPECT_LE(tight.memory_bytes, settings.memory_bytes);
    EXPECT_EQ(percentiles(stacks, settings, 2).samples, whole.samples);
    settings.memory_bytes = 100'000;
    EXPECT_THROW(spim::plan_percentile(stacks, 80, settings, executor), spim::Error);
  }
}

TEST_F(IlluminationTest, sampled_frames_are_in_order_all_different_and_decided_by_the_seed) {
  const auto nothing = [](std::int64_t, std::int64_t, std::int64_t) { return 0.0; };
  const std::vector<CameraStack> stacks{stack(300, 2, 2, nothing), stack(700, 2, 2, nothing)};
  const auto sample = spim::sample_frames(stacks, 100, 5);
  ASSERT_EQ(sample.size(), 100U);
  std::set<std::pair<std::size_t, std::int64_t>> different;
  for (const auto& s : sample) different.insert({s.stack, s.frame});
  EXPECT_EQ(different.size(), 100U);
  EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end(), [](const auto& a, const auto& b) {
    return std::pair(a.stack, a.frame) < std::pair(b.stack, b.frame);
  }));
  const auto in_first =
      std::count_if(sample.begin(), sample.end(), [](const auto& s) { return s.stack == 0; });
  EXPECT_NEAR(static_cast<double>(in_first), 30, 15);
  EXPECT_EQ(spim::sample_frames(stacks, 100, 5), sample);
  EXPECT_NE(spim::sample_frames(stacks, 100, 6), sample);
  EXPECT_EQ(spim::sample_frames(stacks, 0, 5).size(), 1000U);
  EXPECT_EQ(spim::sample_frames(stacks, 5000, 5).size(), 1000U);
}

TEST_F(IlluminationTest, known_profile_is_recovered_within_a_percent_with_a_third_of_the_pixels_dark) {
  struct Shape {
    std::int64_t rows, columns;
  };
  for (const Shape shape : {Shape{128, 128}, Shape{96, 190}, Shape{151, 99}})
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.columns << ", seed " << seed);
      const Scene scene{seed * 1000, 120, shape.rows, shape.columns};
      IlluminationSettings settings;
      settings.seed = seed;
      const Illumination result = measure(scene.stack(), settings);
      double lit = 0, ratio = 0, squares = 0;
      for (const bool squared : {false, true})
        for (std::int64_t i = 0; i < scene.rows; ++i)
          for (std::int64_t j = 0; j < scene.columns; ++j) {
            if (!scene.lit(i, j)) continue;
            const double r = static_cast<double>(result.profile.view().row(i)[j]) / scene.profile(i, j);
            if (squared) {
              squares += (r * lit / ratio - 1) * (r * lit / ratio - 1);
            } else {
              ++lit;
              ratio += r;
            }
          }
      const double pixels = static_cast<double>(scene.rows * scene.columns);
      EXPECT_NEAR(lit / pixels, 0.7, 0.03);
      EXPECT_LT(std::sqrt(squares / lit), 0.01);
      EXPECT_NEAR(result.dark, 100, 0.5);
      EXPECT_TRUE(result.dark_was_seen);
      EXPECT_NEAR(static_cast<double>(result.usable), lit, 0.001 * pixels);
    }
}

TEST_F(IlluminationTest, light_that_hardly_varies_within_a_bin_is_still_fitted) {
  // Most percentiles lie in the same few bins, so that the usual deviation from the surface is 0.
  struct Case {
    std::int64_t first_row, last_row;  ///< lit
    std::int64_t values_per_bin;
    double slope;  ///< share of the light from the first to the last row
  };
  for (const Case& c : {Case{0, 128, 4, 0}, Case{51, 77, 4, 0}, Case{0, 128, 4, 0.02}, Case{0, 128, 4, 0.3},
                        Case{0, 128, 100, 0.3}, Case{0, 128, 100, 0.1}}) {
    SCOPED_TRACE(testing::Message() << "rows " << c.first_row << " to " << c.last_row << ", bins of "
                                    << c.values_per_bin << ", slope " << c.slope);
    IlluminationSettings settings;
    settings.percentile.values_per_bin = c.values_per_bin;
    settings.dark = 100;
    const Illumination result = measure(stack(20, 128, 128,
                                              [&](std::int64_t f, std::int64_t i, std::int64_t j) {
                                                if (i < c.first_row || i >= c.last_row) return 100.0;
                                                const double light =
                                                    1000 * (1 - c.slope * static_cast<double>(i) / 127);
                                                return 100 + light + 50 * uniform(3, f, i, j);
                                              }),
                                        settings);
    double worst = 0;
    for (std::int64_t i = 0; i < 128; ++i) {
      const double wanted = 1000 * (1 - c.slope * static_cast<double>(i) / 127) + 47;
      const double found = static_cast<double>(result.profile.view().row(i)[64]);
      worst = std::max(worst, std::abs(found / wanted - 1));
    }
    EXPECT_LT(worst, 0.01 + 0.25 * static_cast<double>(c.values_per_bin) / 1000);
  }
}

TEST_F(IlluminationTest, result_depends_on_the_seed_alone) {
  const Scene scene{50, 60, 80, 70};
  IlluminationSettings settings;
  settings.frames = 40;
  const Illumination first = measure(scene.stack(), settings, 1);
  settings.percentile.memory_bytes = 4'000'000;
  EXPECT_EQ(measure(scene.stack(), settings, 3).profile.samples, first.profile.samples);
  settings.seed = 5;
  EXPECT_NE(measure(scene.stack(), settings, 3).profile.samples, first.profile.samples);
}

TEST_F(IlluminationTest, frames_stored_rotated_give_exactly_what_oriented_ones_do) {
  const Scene scene{60, 50, 60, 85};
  IlluminationSettings settings;
  const Illumination oriented = measure(scene.stack(), settings);
  settings.orientation = {3, true};
  // As the camera stores: turned three times and flipped they are oriented.
  const Illumination turned = measure(
      stack(50, 85, 60,
            [&](std::int64_t f, std::int64_t i, std::int64_t j) { return scene.sample(f, 59 - j, 84 - i); }),
      settings);
  EXPECT_EQ(turned.profile.samples, oriented.profile.samples);
  EXPECT_EQ(turned.percentiles.samples, oriented.percentiles.samples);
  EXPECT_EQ(turned.profile.rows, 60);
  settings.orientation = {1, false};
  const Illumination once = measure(
      stack(50, 85, 60,
            [&](std::int64_t f, std::int64_t i, std::int64_t j) { return scene.sample(f, 59 - j, i); }),
      settings);
  EXPECT_EQ(once.profile.samples, oriented.profile.samples);
}

TEST_F(IlluminationTest, too_few_pixels_are_an_error_that_says_what_to_change) {
  const auto flat = [](double level) {
    return stack(20, 40, 50, [level](std::int64_t, std::int64_t, std::int64_t) { return level; });
  };
  IlluminationSettings settings;
  EXPECT_THAT(refusal(flat(120), settings), HasSubstr("lower --background"));
  EXPECT_THAT(refusal(flat(5000), settings), HasSubstr("raise --n-bins or --values-per-bin"));
  settings.percentile.values_per_bin = 64;
  EXPECT_THAT(refusal(flat(65535), settings), HasSubstr("lower --percentile"));
  settings = {};
  const auto corner = stack(20, 40, 50, [](std::int64_t f, std::int64_t i, std::int64_t j) {
    return i < 10 && j < 12 ? 300 + 10 * uniform(1, f, i, j) : 100.0;
  });
  EXPECT_THAT(refusal(corner, settings), HasSubstr("too close together"));
  settings.min_samples = 3000;
  EXPECT_THAT(refusal(flat(500), settings), HasSubstr("lower --min-samples"));
}

TEST_F(IlluminationTest, impossible_settings_and_stacks_that_do_not_match_are_refused) {
  const auto even = [](std::int64_t, std::int64_t, std::int64_t) { return 500.0; };
  IlluminationSettings settings;
  settings.percentile.percentile = 100.5;
  EXPECT_THAT(refusal(stack(2, 9, 9, even), settings), HasSubstr("choose 0 to 100"));
  settings = {};
  settings.min_samples = 3;
  EXPECT_THAT(refusal(stack(2, 9, 9, even), settings), HasSubstr("choose 4 to"));
  settings = {};
  settings.dark = 70000;
  EXPECT_THAT(refusal(stack(2, 9, 9, even), settings), HasSubstr("dark level"));
  const std::vector<CameraStack> unequal{stack(2, 9, 8, even), stack(2, 8, 9, even)};
  try {
    percentiles(unequal, {});
    ADD_FAILURE();
  } catch (const spim::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("8 rows x 9 columns"));
  }
}

TEST_F(IlluminationTest, an_evenly_lit_slide_is_not_taken_for_darkness) {
  const Illumination result =
      measure(stack(5, 30, 31, [](std::int64_t, std::int64_t, std::int64_t) { return 500.0; }), {});
  EXPECT_FALSE(result.dark_was_seen);
  EXPECT_EQ(result.dark, 100);
  for (const float light : result.profile.samples) EXPECT_NEAR(light, 401.5, 1e-3);
}

TEST(UnlitLevel, is_the_mean_of_a_narrow_peak_of_dark_samples_only) {
  std::vector<std::uint64_t> levels(65536);
  const auto add = [&](double mean, double width, double count) {
    for (std::size_t v = 0; v < levels.size(); ++v) {
      const double z = (static_cast<double>(v) - mean) / width;
      levels[v] += static_cast<std::uint64_t>(count / width * std::exp(-z * z / 2));
    }
  };
  EXPECT_EQ(spim::unlit_level(levels), std::nullopt);
  add(400, 120, 1e6);
  EXPECT_EQ(spim::unlit_level(levels), std::nullopt);  // tissue alone
  add(103.4, 3.5, 1e5);
  ASSERT_TRUE(spim::unlit_level(levels));
  EXPECT_NEAR(*spim::unlit_level(levels), 103.4, 0.3);
  levels[0] = 50;  // a few dead pixels
  EXPECT_NEAR(*spim::unlit_level(levels), 103.4, 0.3);
}

}  // namespace
