#include "framework/src/blend.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/memory_volume.hpp"

namespace {

using spim::ValidRegion;
using spim::Vec3;
using spim::detail::FaceDistance;
using spim::detail::FaceDistances;
using spim::test::oblique_region;

/// The function of x that a FaceDistance stands for.
double at(const FaceDistance& d, std::int64_t x) {
  return std::min({double{d.cap},
                   (static_cast<double>(x - d.first) + double{d.first_fraction}) * double{d.pitch},
                   (static_cast<double>(d.last - x) + double{d.last_fraction}) * double{d.pitch}});
}

TEST(FaceDistance, IsPerpendicularToTheObliqueFaces) {
  // At 45 degrees, one step of x moves by 1/sqrt 2 of it across the faces.
  const ValidRegion region = oblique_region({0, 1000, 1000}, 100, 1.8 / std::sqrt(2) / 1.28);
  const FaceDistances faces(region, {1.28, 1.8, 1.8 / std::sqrt(2)});
  const FaceDistance d = faces.in_plane(0, 500);
  const double face = region.shear * 500;
  const auto x = static_cast<std::int64_t>(std::ceil(face)) + 10;
  EXPECT_NEAR(at(d, x), (static_cast<double>(x) - face + 1) * 1.28 / std::sqrt(2), 1e-4);
}

TEST(FaceDistance, VoxelsOnAFaceHaveOneVoxelLeft) {
  const ValidRegion region = oblique_region({0, 20, 30}, 40, 1);
  const FaceDistances faces(region, {2, 3, 2});
  for (const std::int64_t z : {0, 7, 29}) {
    const FaceDistance d = faces.in_plane(0, static_cast<double>(z));
    EXPECT_NEAR(at(d, z), std::sqrt(2), 1e-5);
    EXPECT_NEAR(at(d, z + 39), std::sqrt(2), 1e-5);
  }
  EXPECT_FLOAT_EQ(faces.in_plane(0, 0).cap, 2);
  EXPECT_FLOAT_EQ(faces.in_plane(0, 29).cap, 2);
  EXPECT_FLOAT_EQ(faces.to_y_face(0), 3);
  EXPECT_FLOAT_EQ(faces.to_y_face(19), 3);
  EXPECT_FLOAT_EQ(faces.to_y_face(9.5), 31.5);
}

TEST(FaceDistance, StaysExactAtBothFacesOfAMillionFrames) {
  const std::int64_t frames = 1'000'000;
  for (const int direction : {1, -1}) {
    const ValidRegion region = oblique_region({0, 3000, 3000}, frames, 1.006, direction);
    const FaceDistances faces(region, {1, 1, 1});
    const double across = 1 / std::hypot(1, 1.006);
    const FaceDistance d = faces.in_plane(0.25, 1500);
    for (const std::int64_t x : {1510, 1600, 1'001'400, 1'001'507}) {
      const double w = static_cast<double>(x) + 0.25 - 1.006 * 1500;
      const double want = std::min({w + 1, static_cast<double>(frames) - w, 1500 / across}) * across;
      EXPECT_NEAR(at(d, x), want, 1e-3 + 1e-6 * want) << x;
    }
  }
}

class BlendRows : public testing::TestWithParam<std::int64_t> {};

TEST_P(BlendRows, TwoTilesAreBlendedAlikeByBothRoutines) {
  const std::int64_t length = GetParam();
  const FaceDistances faces(oblique_region({0, 50, 60}, 90, 1.006), {1.28, 1.8, 1.27});
  std::vector<std::uint16_t> a(static_cast<std::size_t>(length)), b(a.size()), pair(a.size()), many(a.size());
  for (std::int64_t i = 0; i < length; ++i) {
    a[static_cast<std::size_t>(i)] = spim::test::noise(i, 1, 0);
    b[static_cast<std::size_t>(i)] = spim::test::noise(i, 2, 0);
  }
  const spim::detail::RowOfTile row_a{a.data(), 21, faces.in_plane(0, 20)},
      row_b{b.data(), 35, faces.in_plane(0, 33)};
  spim::detail::blend_two(row_a, row_b, length, pair.data());
  std::vector<float> weighted(a.size()), weights(a.size());
  spim::detail::accumulate(row_a.voxels, row_a.distance, {row_a.x, length, weighted.data(), weights.data()});
  spim::detail::accumulate(row_b.voxels, row_b.distance, {row_b.x, length, weighted.data(), weights.data()});
  spim::detail::finish_mean(weighted.data(), weights.data(), length, many.data());
  EXPECT_EQ(pair, many);
  for (std::int64_t i = 0; i < length; ++i) {
    const auto n = static_cast<std::size_t>(i);
    const double da = at(row_a.distance, row_a.x + i), db = at(row_b.distance, row_b.x + i);
    ASSERT_GT(da, 0);
    EXPECT_NEAR(pair[n], (da * da * a[n] + db * db * b[n]) / (da * da + db * db), 0.52) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, BlendRows, testing::Values(1, 2, 7, 8, 15, 16, 17, 33, 55));

TEST(BlendRows, EqualWeightsRoundHalvesUp) {
  const FaceDistances faces(oblique_region({0, 9, 9}, 9, 1), {1, 1, 1});
  const std::uint16_t a[] = {10, 65535, 0}, b[] = {11, 65535, 1};
  std::uint16_t out[3];
  const FaceDistance d = faces.in_plane(0, 4);
  spim::detail::blend_two({a, 6, d}, {b, 6, d}, 3, out);
  EXPECT_EQ(out[0], 11);
  EXPECT_EQ(out[1], 65535);
  EXPECT_EQ(out[2], 1);
}

TEST(Interpolation, TakesTheEightNeighboursInTheirShares) {
  const std::uint16_t rows[4][5] = {
      {0, 8, 16, 24, 32}, {8, 16, 24, 32, 40}, {80, 88, 96, 104, 112}, {88, 96, 104, 112, 120}};
  const spim::detail::RowTaps taps{{rows[0], rows[1], rows[2], rows[3]}, {0.375f, 0.125f, 0.375f, 0.125f}};
  float out[4];
  spim::detail::interpolate_row(taps, 0.5f, 4, out);
  for (int i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(out[i], static_cast<float>(8 * i + 4 + 2 + 40));
}

}  // namespace
