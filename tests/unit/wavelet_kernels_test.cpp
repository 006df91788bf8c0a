// link: spim_wavelet
#include "kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace spim::wavelet {
namespace {

/// The loops for every processor and, if this one has them, the wider ones.
class WaveletKernels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("v3") && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
      GTEST_SKIP() << "this processor has no AVX2";
  }
  const Kernels& k() const { return GetParam() == std::string("v3") ? kernels_v3() : kernels_v2(); }

  static std::vector<float> noise(std::size_t n, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> v(n);
    for (float& x : v) x = normal(random);
    return v;
  }
};
INSTANTIATE_TEST_SUITE_P(Sets, WaveletKernels, testing::Values("v2", "v3"));

TEST_P(WaveletKernels, logarithms_are_exact_to_float32) {
  std::vector<float> in, out;
  for (int i = 0; i <= 65535; ++i) in.push_back(static_cast<float>(i));
  for (const float v : {-1.0F, -1e30F, 0.3F, 1e-20F, 1e30F}) in.push_back(v);
  out.resize(in.size());
  for (const float scale : {1.0F, 1.0F / 301, 1.0F / 65536}) {
    ASSERT_TRUE(k().logarithms(in.data(), out.data(), static_cast<std::int64_t>(in.size()), scale));
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double expected = std::log((1.0 + std::max(0.0, static_cast<double>(in[i]))) * scale);
      ASSERT_NEAR(out[i], expected, 2e-7 * std::max(1.0, std::abs(expected))) << in[i] << " " << scale;
    }
  }
}

TEST_P(WaveletKernels, logarithms_notice_what_is_not_finite_anywhere) {
  std::vector<float> in(19, 1.0F), out(19);
  EXPECT_TRUE(k().logarithms(in.data(), out.data(), 19, 1));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()})
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i] = bad;
      EXPECT_FALSE(k().logarithms(in.data(), out.data(), 19, 1)) << i;
      in[i] = 1;
    }
}

TEST_P(WaveletKernels, convolution_meets_every_distance_once_for_any_radius) {
  constexpr std::int64_t kLength = 70, kLargest = 96;
  const auto room = static_cast<std::size_t>(kLength + 2 * kLargest + 2 * kBlock);
  const std::vector<float> in = noise(room), kernel = noise(kLargest + 1, 2);
  for (const std::int64_t radius : {0, 1, 4, 7, 8, 9, 15, 16, 17, 24, 31, 40, 96}) {
    std::vector<float> out(kLength + kBlock);
    k().convolve(in.data() + kLargest, kernel.data(), radius, out.data(), kLength);
    for (std::int64_t i = 0; i < kLength; ++i) {
      const float* const at = in.data() + kLargest + i;
      double expected = static_cast<double>(kernel[0]) * at[0];
      for (std::int64_t j = 1; j <= radius; ++j)
        expected += kernel[static_cast<std::size_t>(j)] * (static_cast<double>(at[-j]) + at[j]);
      ASSERT_NEAR(out[static_cast<std::size_t>(i)], expected, 5e-5) << radius << " " << i;
    }
  }
}

TEST_P(WaveletKernels, blend_multiplies_by_the_exponential) {
  const std::size_t n = 4001;
  std::vector<float> removed(n + kBlock), image(n), out(n);
  for (std::size_t i = 0; i < n; ++i) {
    removed[i] = (static_cast<float>(i) - 2000) / 40;
    image[i] = static_cast<float>(i * 13 % 65536);
  }
  BlendRow row;
  row.image = image.data();
  row.foreground = removed.data();
  k().blend(row, out.data(), static_cast<std::int64_t>(n));
  for (std::size_t i = 0; i < n; ++i) {
    const double expected = (1.0 + image[i]) * std::exp(-static_cast<double>(removed[i]));
    ASSERT_NEAR(out[i] + 1.0, expected, 3e-7 * std::max(1.0, expected)) << removed[i];
  }
}

TEST_P(WaveletKernels, blend_mixes_what_is_above_and_below_the_threshold) {
  const std::vector<float> image{0, 90, 100, 110, 1000}, mask_values{0, 0.25F, 0.5F, 0.75F, 1};
  std::vector<float> mask(kBlock), bright(kBlock, std::log(2.0F)), dark(kBlock, -std::log(3.0F)), out(5);
  std::copy(mask_values.begin(), mask_values.end(), mask.begin());
  for (const bool with_bright : {false, true})
    for (const bool with_dark : {false, true}) {
      const BlendRow row{image.data(), mask.data(), with_bright ? bright.data() : nullptr,
                         with_dark ? dark.data() : nullptr, 100};
      k().blend(row, out.data(), 5);
      for (std::size_t i = 0; i < 5; ++i) {
        const float a = with_bright ? (std::max(image[i], 100.0F) + 1) / 2 - 1 : image[i];
        const float b = with_dark ? (std::min(image[i], 100.0F) + 1) * 3 - 1 : image[i];
        EXPECT_NEAR(out[i], mask[i] * a + (1 - mask[i]) * b, 1e-3) << i;
      }
    }
}

TEST_P(WaveletKernels, sigmoid_saturates_without_overflow) {
  const std::vector<float> in{0, 90, 100, 110, 65535, 3e38F};
  std::vector<float> out(in.size());
  k().sigmoid(in.data(), out.data(), static_cast<std::int64_t>(in.size()), 100, 0.1F);
  for (std::size_t i = 0; i < in.size(); ++i)
    EXPECT_NEAR(out[i], 1 / (1 + std::exp((100.0 - in[i]) / 10)), 1e-6) << in[i];
}

TEST_P(WaveletKernels, grey_levels_are_rounded_and_kept_in_range) {
  const std::vector<float> in{
      -5, -0.4F, 0, 0.49F, 0.5F, 7, 7.4F, 65534.6F, 70000, 1e30F, std::numeric_limits<float>::quiet_NaN()};
  std::vector<std::int32_t> out(in.size());
  k().grey_levels(in.data(), out.data(), static_cast<std::int64_t>(in.size()));
  EXPECT_EQ(out, (std::vector<std::int32_t>{0, 0, 0, 0, 1, 7, 7, 65535, 65535, 65535, 0}));
}

TEST_P(WaveletKernels, rows_of_a_frame_are_not_touched_behind_their_end) {
  for (std::int64_t n = 1; n < 20; ++n) {
    const std::vector<float> in = noise(static_cast<std::size_t>(n));
    std::vector<float> out(40, -7.0F);
    std::vector<float> removed(64, 0.0F);
    BlendRow row;
    row.image = in.data();
    row.foreground = removed.data();
    k().blend(row, out.data(), n);
    for (std::size_t i = static_cast<std::size_t>(n); i < out.size(); ++i) ASSERT_EQ(out[i], -7.0F) << n;
  }
}

TEST_P(WaveletKernels, analysis_and_synthesis_are_each_others_transposes) {
  // <A x, y> = <x, S y> for a signal far from its ends: what makes reconstruction of orthogonal wavelets
  // exact.
  const std::vector<float> low = noise(10, 2), high = noise(10, 3);
  const Taps taps{low.data(), high.data(), 10};
  constexpr std::size_t kSamples = 128;
  std::vector<float> x(4 * kSamples, 0.0F), even(2 * kSamples, 0.0F), odd(2 * kSamples, 0.0F);
  const std::vector<float> middle = noise(kSamples, 4);
  std::copy(middle.begin(), middle.end(), x.begin() + 32);
  k().split(x.data(), {even.data() + 32, odd.data() + 32}, 96);
  std::vector<float> ax(160, 0.0F), y(256, 0.0F), sy(512, 0.0F);
  k().analyze_row({even.data() + 32, odd.data() + 32}, taps, ax.data(), 96);
  const std::vector<float> other = noise(96, 5);
  std::copy(other.begin(), other.end(), y.begin());
  k().synthesize_row(y.data(), taps, sy.data(), 96);
  double left = 0, right = 0;
  for (std::size_t i = 0; i < 96; ++i) left += static_cast<double>(ax[i]) * y[i];
  for (std::size_t i = 0; i < 192; ++i) right += static_cast<double>(x[i]) * sy[i];
  EXPECT_NEAR(left, right, 1e-3);
  EXPECT_GT(std::abs(left), 1e-2);
}

TEST_P(WaveletKernels, columns_are_combined_like_the_formulas_say) {
  constexpr std::size_t kWidth = 45;
  std::vector<std::vector<float>> rows;
  std::vector<const float*> pointers;
  for (unsigned i = 0; i < 6; ++i) rows.push_back(noise(64, i));
  for (const auto& row : rows) pointers.push_back(row.data());
  const std::vector<float> low = noise(6, 10), high = noise(6, 11);
  const Taps taps{low.data(), high.data(), 6};
  std::vector<float> a(64), b(64);
  k().analyze_rows(pointers.data(), taps, {a.data(), b.data()}, kWidth);
  for (std::size_t x = 0; x < kWidth; ++x) {
    float l = 0, h = 0;
    for (std::size_t t = 0; t < 6; ++t) {
      l += low[t] * rows[t][x];
      h += high[t] * rows[t][x];
    }
    EXPECT_NEAR(a[x], l, 1e-5);
    EXPECT_NEAR(b[x], h, 1e-5);
  }
  k().synthesize_rows({pointers.data(), pointers.data() + 3}, taps, {a.data(), b.data()}, kWidth);
  for (std::size_t x = 0; x < kWidth; ++x) {
    float even = 0, odd = 0;
    for (std::size_t t = 0; t < 3; ++t) {
      even += low[2 * t + 1] * rows[t][x] + high[2 * t + 1] * rows[t + 3][x];
      odd += low[2 * t] * rows[t][x] + high[2 * t] * rows[t + 3][x];
    }
    EXPECT_NEAR(a[x], even, 1e-5);
    EXPECT_NEAR(b[x], odd, 1e-5);
  }
}

TEST_P(WaveletKernels, harmonics_are_projected_and_expanded) {
  for (const std::int64_t count : {1, 3, 4, 9}) {
    constexpr std::int64_t kStride = 64;
    const std::vector<float> table = noise(static_cast<std::size_t>(count * kStride), 3),
                             in = noise(kStride, 4);
    std::vector<float> sums(static_cast<std::size_t>(count)), out(kStride, 0.5F);
    k().project(in.data(), table.data(), kStride, sums.data(), count);
    k().expand(sums.data(), table.data(), kStride, out.data(), count);
    std::vector<double> expected(kStride, 0.5);
    for (std::int64_t m = 0; m < count; ++m) {
      double sum = 0;
      for (std::int64_t i = 0; i < kStride; ++i)
        sum += static_cast<double>(table[static_cast<std::size_t>(m * kStride + i)]) *
               in[static_cast<std::size_t>(i)];
      EXPECT_NEAR(sums[static_cast<std::size_t>(m)], sum, 1e-4);
      for (std::int64_t i = 0; i < kStride; ++i)
        expected[static_cast<std::size_t>(i)] += sum * table[static_cast<std::size_t>(m * kStride + i)];
    }
    for (std::size_t i = 0; i < kStride; ++i) EXPECT_NEAR(out[i], expected[i], 1e-2);
  }
}

}  // namespace
}  // namespace spim::wavelet
