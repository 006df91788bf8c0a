#include "spim/host/oblique_geometry.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "spim/error.hpp"

namespace {

using spim::IndexRange;
using spim::ObliqueGeometry;
using spim::ScanSettings;
using spim::ValidRegion;

/// Settings with the shear r (at 45°), to the last bit where that is possible.
ScanSettings with_shear(double r, int direction = 1) {
  return {r * std::sqrt(2.0), 1.0, 45, direction};
}

double real(std::int64_t i) {
  return static_cast<double>(i);
}

/// The region as the formula says, in long double with the same tolerance.
bool oracle_covers(const ValidRegion& region, std::int64_t x, std::int64_t z) {
  const long double k =
      region.direction * (static_cast<long double>(x) - region.x_offset -
                          static_cast<long double>(region.shear) * static_cast<long double>(z));
  return k >= -spim::kPositionTolerance &&
         k <= static_cast<long double>(region.frames - 1) + spim::kPositionTolerance;
}

TEST(ObliqueGeometry, OfTheMicroscopeIsWhatHandCalculationGives) {
  const ObliqueGeometry geometry({1.8, 1.28, 45, 1}, {200, 2048, 1024});
  const double half = std::sqrt(0.5);
  EXPECT_DOUBLE_EQ(geometry.shear(), 1.8 * half / 1.28);  // 0.99437: 5.8 voxels of drift, not snapped
  EXPECT_EQ(geometry.shape(),
            (spim::Index3{200 + 1018, 2048, 1024}));  // ceil(0.99437 * 1023) = ceil(1017.24)
  EXPECT_DOUBLE_EQ(geometry.voxel_um().x, 1.28);
  EXPECT_DOUBLE_EQ(geometry.voxel_um().y, 1.8);
  EXPECT_DOUBLE_EQ(geometry.voxel_um().z, 1.8 * half);
  EXPECT_EQ(geometry.origin_um(), (spim::Vec3{0, 0, 0}));
}

TEST(ObliqueGeometry, FollowsTheTilt) {
  const ObliqueGeometry steep({2, 1, 60, 1}, {10, 4, 11});  // cos 60° = 1/2: r = 1 in spite of its rounding
  EXPECT_EQ(steep.shear(), 1.0);
  EXPECT_EQ(steep.shape(), (spim::Index3{20, 4, 11}));
  EXPECT_NEAR(steep.voxel_um().z, std::sqrt(3.0), 1e-15);

  const ObliqueGeometry flat({1, 1, 30, 1}, {10, 4, 11});  // cos 30° = 0.866: 8.66 voxels
  EXPECT_NEAR(flat.shear(), std::sqrt(0.75), 1e-15);
  EXPECT_EQ(flat.shape(), (spim::Index3{19, 4, 11}));
  EXPECT_NEAR(flat.voxel_um().z, 0.5, 1e-15);
}

TEST(ObliqueGeometry, SnapsToAWholeShearOnlyWithinHalfAVoxelOverTheDepth) {
  EXPECT_EQ(ObliqueGeometry(with_shear(1.004), {5, 5, 125}).shear(), 1.0);      // 124 * 0.004 = 0.496
  EXPECT_NE(ObliqueGeometry(with_shear(1.004), {5, 5, 126 + 1}).shear(), 1.0);  // 126 * 0.004 = 0.504
  EXPECT_EQ(ObliqueGeometry(with_shear(0.996), {5, 5, 125}).shear(), 1.0);
  EXPECT_EQ(ObliqueGeometry(with_shear(2.01), {5, 5, 50}).shear(), 2.0);
  EXPECT_NE(ObliqueGeometry(with_shear(0.001), {5, 5, 100}).shear(), 0.0);  // a shear of 0 does not exist
}

TEST(ObliqueGeometry, ExtentsHoldTheWholeStackOnBothSidesOfOne) {
  EXPECT_EQ(ObliqueGeometry(with_shear(0.7), {50, 3, 11}).shape().x, 57);  // 0.7 * 10 = 7, not 8 by rounding
  EXPECT_EQ(ObliqueGeometry(with_shear(1.27), {50, 3, 101}).shape().x, 177);  // 127
  EXPECT_EQ(ObliqueGeometry(with_shear(2.3), {1, 1, 3}).shape().x, 6);        // 4.6
  EXPECT_EQ(ObliqueGeometry(with_shear(0.994), {7, 2, 1}).shape().x, 7);      // one column: no shear at all
}

TEST(ObliqueGeometry, AScanTowardsSmallerXStartsAtItsLastFrame) {
  const ObliqueGeometry geometry({1.8, 1.28, 45, -1}, {200, 64, 64});
  EXPECT_DOUBLE_EQ(geometry.origin_um().x, -199 * 1.28);
  const ValidRegion& region = geometry.region();
  EXPECT_EQ(region.frame_position(199, 0), 0);  // frame 0 lies at X = 0
  EXPECT_EQ(region.frame_position(0, 0), 199);
  EXPECT_TRUE(region.covers(0, 0, 0));
  EXPECT_FALSE(region.covers(0, 0, 1));
}

TEST(ObliqueGeometry, FramePositionsOfAWholeShearAreWhole) {
  const ObliqueGeometry geometry(with_shear(1.0000001), {3000, 8, 2048});
  ASSERT_EQ(geometry.shear(), 1.0);
  for (std::int64_t z : {0, 1, 1023, 2047})
    for (std::int64_t x : {0, 2047, 5046})
      EXPECT_EQ(geometry.region().frame_position(real(x), real(z)), real(x - z));
}

TEST(ValidRegion, CoversExactlyTheVoxelsBetweenTheFirstAndTheLastFrame) {
  for (const double r : {0.05, 0.3, 0.7, 0.994, 1.0, 1.006, 1.27, 2.3})
    for (const int direction : {1, -1})
      for (const std::int64_t frames : {1, 2, 7, 40}) {
        const ObliqueGeometry geometry(with_shear(r, direction), {frames, 3, 91});
        const ValidRegion& region = geometry.region();
        for (std::int64_t z = 0; z < region.shape.z; ++z) {
          const IndexRange valid = region.valid_x(z);
          for (std::int64_t x = -2; x < region.shape.x + 2; ++x) {
            const bool inside = x >= 0 && x < region.shape.x && oracle_covers(region, x, z);
            ASSERT_EQ(region.covers(x, 1, z), inside) << r << ' ' << direction << ' ' << x << ' ' << z;
            ASSERT_EQ(x >= valid.begin && x < valid.end, inside);
          }
        }
        EXPECT_FALSE(region.covers(0, -1, 0) || region.covers(0, 3, 0) || region.covers(0, 0, -1) ||
                     region.covers(region.shape.x - 1, 0, region.shape.z));
      }
}

TEST(ValidRegion, KeepsTheFacesWhenPositionsAreAHairBesideWholeNumbers) {
  // 0.7 * 10 is 7.000000000000001 or 6.999999999999999 depending on how it is formed.
  for (const int direction : {1, -1}) {
    const ObliqueGeometry geometry({0.7 / std::cos(60 * M_PI / 180), 1, 60, direction}, {20, 1, 101});
    const ValidRegion& region = geometry.region();
    for (std::int64_t z = 0; z <= 100; z += 10) {
      EXPECT_EQ(region.line(z).weight, 0) << z;
      EXPECT_EQ(region.valid_x(z), (IndexRange{z / 10 * 7, z / 10 * 7 + 20})) << z;
    }
  }
}

TEST(ValidRegion, NamesTheFramesThatABoxNeeds) {
  for (const double r : {0.7, 1.0, 1.27})
    for (const int direction : {1, -1}) {
      const ObliqueGeometry geometry(with_shear(r, direction), {30, 5, 40});
      const ValidRegion& region = geometry.region();
      for (const spim::Box& box : {spim::Box{{0, 0, 0}, {8, 5, 8}}, spim::Box{{20, 1, 10}, {36, 2, 26}},
                                   spim::Box{{10, 0, 39}, {90, 5, 60}}, spim::Box{{-5, -5, -5}, {5, 5, 5}}}) {
        const IndexRange frames = region.frames_for(box);
        for (std::int64_t z = 0; z < region.shape.z; ++z)
          for (std::int64_t x = 0; x < region.shape.x; ++x)
            if (contains(box, {{x, 1, z}, {x + 1, 2, z + 1}}) && region.covers(x, 1, z)) {
              const double k = region.frame_position(real(x), real(z));
              EXPECT_LE(frames.begin, std::floor(k + 1e-7));
              EXPECT_GE(frames.end - 1, std::ceil(k - 1e-7));
            }
        EXPECT_LE(frames.size(), std::ceil(8 + r * 30) + 50);
        EXPECT_GE(frames.begin, 0);
        EXPECT_LE(frames.end, 30);
      }
      EXPECT_TRUE(region.frames_for({{0, 0, 30}, {1, 5, 40}}).empty());  // before the leading face
      EXPECT_TRUE(region.frames_for({{0, 5, 0}, {30, 9, 40}}).empty());  // outside the shape
    }
}

TEST(ValidRegion, OfAPlainBoxIsTheWholeVolume) {
  const ValidRegion region{{5, 4, 3}, 0, 0, 5, 1};
  for (std::int64_t z = 0; z < 3; ++z) EXPECT_EQ(region.valid_x(z), (IndexRange{0, 5}));
  EXPECT_TRUE(region.covers(4, 3, 2));
  EXPECT_FALSE(region.covers(5, 3, 2));
}

TEST(RegionOfConverted, UndoesTheDeskew) {
  for (const double r : {0.7, 0.994, 1.0, 1.006, 2.3})
    for (const int direction : {1, -1}) {
      const ScanSettings settings = with_shear(r, direction);
      const ObliqueGeometry geometry(settings, {123, 7, 400});
      const ValidRegion region = spim::region_of_converted(settings, geometry.shape());
      EXPECT_EQ(region.shape, geometry.shape());
      EXPECT_EQ(region.frames, 123);
      EXPECT_EQ(region.shear, geometry.shear());
      EXPECT_EQ(region.x_offset, geometry.region().x_offset);
      EXPECT_EQ(region.direction, direction);
    }
  EXPECT_THROW(spim::region_of_converted(with_shear(1), {10, 10, 12}), spim::Error);
  EXPECT_THROW(spim::region_of_converted(with_shear(1), {10, 0, 5}), spim::Error);
}

TEST(ObliqueGeometry, RefusesImpossibleSettings) {
  const spim::StackShape stack{10, 10, 10};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -1.0, nan, infinity}) {
    EXPECT_THROW(ObliqueGeometry({bad, 1, 45, 1}, stack), spim::UsageError);
    EXPECT_THROW(ObliqueGeometry({1, bad, 45, 1}, stack), spim::UsageError);
  }
  for (const double tilt : {0.0, 90.0, -45.0, 135.0, nan})
    EXPECT_THROW(ObliqueGeometry({1, 1, tilt, 1}, stack), spim::UsageError);
  for (const int direction : {0, 2, -2})
    EXPECT_THROW(ObliqueGeometry({1, 1, 45, direction}, stack), spim::UsageError);
}

TEST(ObliqueGeometry, RefusesExtentsThatCannotBeAddressed) {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW(ObliqueGeometry({1, 1, 45, 1}, {0, 1, 1}), spim::Error);
  EXPECT_THROW(ObliqueGeometry({1, 1, 45, 1}, {huge, 1, 1}), spim::Error);
  EXPECT_THROW(ObliqueGeometry({1, 1, 45, 1}, {1, 1, huge}), spim::Error);
  EXPECT_THROW(ObliqueGeometry({1, 1, 45, 1}, {1000000, huge / 1000, 10}), spim::Error);
  EXPECT_THROW(ObliqueGeometry({1e300, 1e-300, 45, 1}, {10, 10, 10}), spim::Error);
  EXPECT_THROW(ObliqueGeometry({1e308, 1e-308, 45, 1}, {10, 10, 1}), spim::Error);
}

}  // namespace
