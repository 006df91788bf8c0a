#include "spim/host/mosaic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "spim/error.hpp"
#include "support/memory_volume.hpp"

namespace {

using spim::Index3;
using spim::Interpolation;
using spim::MosaicSettings;
using spim::PlacedTile;
using spim::ValidRegion;
using spim::Vec3;
using spim::test::box_region;
using spim::test::MemoryVolume;
using spim::test::oblique_region;
using spim::test::read_all;
using spim::test::read_box;
using spim::test::seeded_noise;
using spim::test::Voxels;
using testing::HasSubstr;

struct TileSpec {
  ValidRegion region;
  Vec3 position;
  spim::test::VoxelFunction voxel;
};

/// Builds mosaics and computes by the definition, in double and voxel by voxel, what they must hold.
class Scene {
 public:
  explicit Scene(std::vector<TileSpec> tiles, Vec3 um = {1, 1, 1}) : um_(um) {
    for (const TileSpec& t : tiles) {
      auto volume = std::make_shared<MemoryVolume>(t.region, t.voxel);
      volume->set_voxel_um(um);
      tiles_.push_back({volume, t.position, "tile " + std::to_string(tiles_.size())});
    }
  }

  std::unique_ptr<spim::VolumeSource> build(const MosaicSettings& settings = {}) const {
    return spim::mosaic(tiles_, settings);
  }

  /// Expected value at mosaic voxel (x, y, z); `nearest_half` says how far the exact mean is from a rounding
  /// tie.
  double expected(Index3 at, Interpolation interpolation) const {
    Vec3 least = tiles_[0].position_voxels;
    for (const PlacedTile& t : tiles_)
      least = {std::min(least.x, t.position_voxels.x), std::min(least.y, t.position_voxels.y),
               std::min(least.z, t.position_voxels.z)};
    double weighted = 0, weights = 0;
    for (const PlacedTile& t : tiles_) {
      Vec3 p = t.position_voxels - least;
      if (interpolation == Interpolation::nearest)
        p = {std::nearbyint(p.x), std::nearbyint(p.y), std::nearbyint(p.z)};
      const Vec3 local{static_cast<double>(at.x) - p.x, static_cast<double>(at.y) - p.y,
                       static_cast<double>(at.z) - p.z};
      double value = 0;
      if (!sample(static_cast<const MemoryVolume&>(*t.volume), local, value)) continue;
      const double d = distance(t.volume->region(), local);
      weighted += d * d * value;
      weights += d * d;
    }
    return weights > 0 ? weighted / weights : 0;
  }

 private:
  static bool sample(const MemoryVolume& volume, const Vec3& at, double& value) {
    const ValidRegion region = volume.region();
    value = 0;
    const Index3 base{static_cast<std::int64_t>(std::floor(at.x + 1e-9)),
                      static_cast<std::int64_t>(std::floor(at.y + 1e-9)),
                      static_cast<std::int64_t>(std::floor(at.z + 1e-9))};
    const double fx = at.x - static_cast<double>(base.x), fy = at.y - static_cast<double>(base.y),
                 fz = at.z - static_cast<double>(base.z);
    for (int tap = 0; tap < 8; ++tap) {
      const Index3 p = base + Index3{tap & 1, tap >> 1 & 1, tap >> 2};
      const double w = (tap & 1 ? fx : 1 - fx) * (tap & 2 ? fy : 1 - fy) * (tap & 4 ? fz : 1 - fz);
      if (w < 1e-9) continue;
      const double k = region.frame_position(static_cast<double>(p.x), static_cast<double>(p.z));
      const bool valid = k >= -1e-7 && k <= static_cast<double>(region.frames - 1) + 1e-7 &&
                         spim::contains({{0, 0, 0}, region.shape}, {p, p + Index3{1, 1, 1}});
      if (!valid) return false;
      value += w * volume.voxels().at(p.x, p.y, p.z);
    }
    return true;
  }

  /// To the nearest face, each moved out by a voxel, in micrometres.
  double distance(const ValidRegion& region, const Vec3& at) const {
    const double across = 1 / std::sqrt(1 / (um_.x * um_.x) + region.shear * region.shear / (um_.z * um_.z));
    const double k = region.frame_position(at.x, at.z);
    return std::min({(k + 1) * across, (static_cast<double>(region.frames) - k) * across, (at.y + 1) * um_.y,
                     (static_cast<double>(region.shape.y) - at.y) * um_.y, (at.z + 1) * um_.z,
                     (static_cast<double>(region.shape.z) - at.z) * um_.z});
  }

  Vec3 um_;
  std::vector<PlacedTile> tiles_;
};

/// Every voxel is the exact mean rounded to nearest; within 0.05 of a tie both neighbours will do.
void expect_as_defined(const Scene& scene, const MosaicSettings& settings = {}) {
  const auto mosaic = scene.build(settings);
  const Voxels got = read_all(*mosaic);
  std::int64_t wrong = 0;
  for (std::int64_t z = 0; z < got.size.z; ++z)
    for (std::int64_t y = 0; y < got.size.y; ++y)
      for (std::int64_t x = 0; x < got.size.x; ++x) {
        const double want = scene.expected(settings.output_offset + Index3{x, y, z}, settings.interpolation);
        if (std::abs(got.at(x, y, z) - want) <= 0.55) continue;
        if (++wrong <= 5)
          ADD_FAILURE() << "at " << x << "," << y << "," << z << ": " << got.at(x, y, z) << " instead of "
                        << want;
      }
  EXPECT_EQ(wrong, 0);
}

spim::test::VoxelFunction noise_of(std::uint32_t seed) {
  return [seed](std::int64_t x, std::int64_t y, std::int64_t z) { return seeded_noise(x, y, z, seed); };
}
spim::test::VoxelFunction constant(std::uint16_t value) {
  return [value](std::int64_t, std::int64_t, std::int64_t) { return value; };
}

std::vector<TileSpec> four_oblique_tiles(double shear, int direction = 1) {
  const ValidRegion region = oblique_region({0, 20, 17}, 30, shear, direction);
  return {{region, {0, 0, 0}, noise_of(1)},
          {region, {22, 1, 0}, noise_of(2)},
          {region, {1, 14, 1}, noise_of(3)},
          {region, {21, 15, 2}, noise_of(4)}};
}

TEST(Mosaic, OneTileIsCopiedBitForBit) {
  const Scene scene({{oblique_region({0, 9, 11}, 13, 1), {5.25, -3.5, 100}, noise_of(1)}});
  const MemoryVolume tile(oblique_region({0, 9, 11}, 13, 1), noise_of(1));
  EXPECT_EQ(read_all(*scene.build()), tile.voxels());
}

TEST(Mosaic, TwoBoxesFollowTheDistanceLaw) {
  expect_as_defined(Scene({{box_region({30, 12, 8}), {0, 0, 0}, noise_of(1)},
                           {box_region({30, 12, 8}), {20, 0, 0}, noise_of(2)}}));
}

TEST(Mosaic, ThreeAndFourObliqueTilesFollowTheDistanceLaw) {
  for (const double shear : {1.0, 0.994, 1.37, 0.5}) {
    std::vector<TileSpec> tiles = four_oblique_tiles(shear);
    expect_as_defined(Scene(tiles));
    tiles.pop_back();
    expect_as_defined(Scene(tiles, {1.28, 1.8, 1.2728}));
  }
}

TEST(Mosaic, BackwardScansFollowTheDistanceLaw) {
  expect_as_defined(Scene(four_oblique_tiles(1.0, -1)));
  expect_as_defined(Scene(four_oblique_tiles(0.9, -1), {2, 1.8, 1.2728}));
}

TEST(Mosaic, TilesInZAndWholeStacksOfTilesFollowTheDistanceLaw) {
  const ValidRegion region = oblique_region({0, 10, 12}, 18, 1);
  std::vector<TileSpec> tiles;
  for (int z = 0; z < 2; ++z)
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 2; ++x)
        tiles.push_back({region,
                         {12.0 * x + 8 * z, 7.0 * y, 8.0 * z},
                         noise_of(static_cast<std::uint32_t>(tiles.size()))});
  expect_as_defined(Scene(tiles));
}

TEST(Mosaic, ATileInsideAnotherAndEqualTilesAreBlended) {
  const ValidRegion large = oblique_region({0, 20, 15}, 30, 1), small = oblique_region({0, 8, 6}, 9, 1);
  expect_as_defined(Scene({{large, {0, 0, 0}, noise_of(1)}, {small, {15, 6, 4}, noise_of(2)}}));
  expect_as_defined(Scene({{large, {0, 0, 0}, noise_of(1)}, {large, {0, 0, 0}, noise_of(2)}}));
}

TEST(Mosaic, ConstantTilesStayConstantWhereverOneIsValid) {
  for (const std::uint16_t value : {std::uint16_t{1}, std::uint16_t{1000}, std::uint16_t{65535}})
    for (const double shear : {1.0, 1.006})
      for (const Interpolation how : {Interpolation::nearest, Interpolation::linear}) {
        std::vector<TileSpec> tiles = four_oblique_tiles(shear);
        for (TileSpec& t : tiles) t.voxel = constant(value);
        tiles[1].position = tiles[1].position + Vec3{0.3, 0.4, 0.6};
        const Scene scene(tiles);
        MosaicSettings settings;
        settings.interpolation = how;
        const Voxels got = read_all(*scene.build(settings));
        std::int64_t covered = 0;
        for (std::int64_t z = 0; z < got.size.z; ++z)
          for (std::int64_t y = 0; y < got.size.y; ++y)
            for (std::int64_t x = 0; x < got.size.x; ++x) {
              const bool valid = scene.expected({x, y, z}, how) > 0;
              ASSERT_EQ(got.at(x, y, z), valid ? value : 0) << x << "," << y << "," << z;
              covered += valid;
            }
        EXPECT_GT(covered, 20'000);
      }
}

TEST(Mosaic, PaddingOfOneTileNeverDarkensAnother) {
  // The second tile's corner of padding lies over the first tile's data: only the first tile counts there.
  const ValidRegion region = oblique_region({0, 4, 20}, 20, 1);
  const Scene scene({{region, {0, 0, 0}, constant(500)}, {region, {15, 0, 0}, constant(500)}});
  const Voxels got = read_all(*scene.build());
  EXPECT_EQ(got.at(16, 2, 10), 500);
  EXPECT_EQ(got.at(10, 2, 0), 500);
  EXPECT_EQ(got.at(0, 2, 10), 0);
}

TEST(Mosaic, VoxelsOutsideTheRegionAreZeroEvenIfTheTileHoldsSomethingThere) {
  // A converted tile may carry values in its padding: its region alone says what is valid.
  class Untidy final : public spim::VolumeSource {
   public:
    Index3 shape() const override { return region().shape; }
    Vec3 voxel_um() const override { return {1, 1, 1}; }
    spim::PixelType type() const override { return spim::PixelType::u16; }
    ValidRegion region() const override { return oblique_region({0, 3, 10}, 12, 1); }
    std::int64_t memory_for(const spim::Box&, std::span<const spim::Box>) const override { return 0; }
    std::int64_t plan_loads(const spim::Box&, std::span<const spim::Box>) override { return 0; }
    void load(std::int64_t) override {}
    void read(const spim::Box&, spim::VolumeView<std::uint16_t> out) const override {
      for (std::int64_t z = 0; z < out.size.z; ++z)
        for (std::int64_t y = 0; y < out.size.y; ++y)
          std::fill_n(out.row(y, z), out.size.x, std::uint16_t{77});
    }
  };
  for (const double second : {5.0, 100.0}) {
    const auto mosaic = spim::mosaic(
        {{std::make_shared<Untidy>(), {0, 0, 0}, "a"}, {std::make_shared<Untidy>(), {second, 0, 0}, "b"}},
        {});
    const Voxels got = read_all(*mosaic);
    EXPECT_EQ(got.at(0, 0, 5), 0);
    EXPECT_EQ(got.at(4, 0, 5), 0);
    EXPECT_EQ(got.at(5, 0, 5), 77);
    EXPECT_EQ(got.at(got.size.x - 1, 0, 0), 0);
  }
}

TEST(Mosaic, DoesNotDependOnHowItIsCut) {
  std::vector<TileSpec> tiles = four_oblique_tiles(1.006);
  for (const Interpolation how : {Interpolation::nearest, Interpolation::linear}) {
    tiles[2].position.x += 0.25;
    MosaicSettings settings;
    settings.interpolation = how;
    const auto mosaic = Scene(tiles).build(settings);
    const Voxels whole = read_all(*mosaic);
    const Index3 step{7, 5, 3};
    for (std::int64_t z = 0; z < whole.size.z; z += step.z)
      for (std::int64_t y = 0; y < whole.size.y; y += step.y)
        for (std::int64_t x = 0; x < whole.size.x; x += step.x) {
          const spim::Box box = spim::intersect({{x, y, z}, Index3{x, y, z} + step}, {{0, 0, 0}, whole.size});
          const Voxels part = read_box(*mosaic, box);
          for (std::int64_t c = 0; c < part.size.z; ++c)
            for (std::int64_t b = 0; b < part.size.y; ++b)
              for (std::int64_t a = 0; a < part.size.x; ++a)
                ASSERT_EQ(part.at(a, b, c), whole.at(x + a, y + b, z + c));
        }
  }
}

TEST(Mosaic, PositionsAreRebasedAndRoundedHalfToEven) {
  const auto at = [](double x) {
    const Scene scene({{box_region({4, 4, 4}), {10, 0, 0}, constant(5)},
                       {box_region({4, 4, 4}), {10 + x, 0, 0}, constant(5)}});
    return scene.build()->shape().x - 4;
  };
  EXPECT_EQ(at(0.5), 0);
  EXPECT_EQ(at(1.5), 2);
  EXPECT_EQ(at(2.5), 2);
  EXPECT_EQ(at(-1.5), 2);
  EXPECT_EQ(at(7.49), 7);
}

TEST(Mosaic, LinearPositionsAreExactOnRamps) {
  const auto ramp = [](std::int64_t x, std::int64_t y, std::int64_t z) {
    return static_cast<std::uint16_t>(1000 + 40 * x + 20 * y + 80 * z);
  };
  const Vec3 position{10.25, 4.5, 2.75};
  const Scene scene(
      {{box_region({2, 2, 2}), {0, 0, 0}, constant(0)}, {box_region({20, 12, 9}), position, ramp}});
  MosaicSettings settings;
  settings.interpolation = Interpolation::linear;
  const Voxels got = read_all(*scene.build(settings));
  EXPECT_EQ(got.size, (Index3{30, 16, 11}));
  for (std::int64_t z = 3; z < 11; ++z)
    for (std::int64_t y = 5; y < 16; ++y)
      for (std::int64_t x = 11; x < 30; ++x) {
        const double want = 1000 + 40 * (static_cast<double>(x) - position.x) +
                            20 * (static_cast<double>(y) - position.y) +
                            80 * (static_cast<double>(z) - position.z);
        ASSERT_EQ(got.at(x, y, z), want) << x << "," << y << "," << z;
      }
  EXPECT_EQ(got.at(10, 10, 8), 0);
  EXPECT_EQ(got.at(15, 4, 8), 0);
  EXPECT_EQ(got.at(15, 10, 2), 0);
}

TEST(Mosaic, LinearPositionsNeedAllTheirNeighboursValid) {
  for (const double shear : {1.0, 0.7, 1.3}) {
    std::vector<TileSpec> tiles = four_oblique_tiles(shear);
    tiles[1].position = tiles[1].position + Vec3{0.5, 0, 0};
    tiles[2].position = tiles[2].position + Vec3{0, 0.25, 0.125};
    tiles[3].position = tiles[3].position + Vec3{0.75, 0.5, 0.25};
    MosaicSettings settings;
    settings.interpolation = Interpolation::linear;
    expect_as_defined(Scene(tiles, {1.28, 1.8, 1.2728}), settings);
  }
}

TEST(Mosaic, AHairBesideAWholeVoxelIsThatVoxel) {
  const Scene scene({{box_region({9, 9, 9}), {0, 0, 0}, noise_of(1)},
                     {box_region({9, 9, 9}), {2560 / 1.28, 0, 1e-9}, noise_of(2)}});
  MosaicSettings settings;
  settings.interpolation = Interpolation::linear;
  EXPECT_EQ(scene.build(settings)->shape(), (Index3{2009, 9, 9}));
  const MemoryVolume second(box_region({9, 9, 9}), noise_of(2));
  EXPECT_EQ(read_box(*scene.build(settings), {{2000, 0, 0}, {2009, 9, 9}}), second.voxels());
}

TEST(Mosaic, ShowsThePartThatWasAskedFor) {
  const Scene scene(four_oblique_tiles(1));
  MosaicSettings settings;
  settings.output_offset = {13, 7, 4};
  settings.output_size = {25, 0, 6};
  const auto mosaic = scene.build(settings);
  const Index3 whole = scene.build()->shape();
  EXPECT_EQ(mosaic->shape(), (Index3{25, whole.y - 7, 6}));
  expect_as_defined(scene, settings);
}

TEST(Mosaic, RegionHoldsEveryVoxelThatIsNotZero) {
  for (const int direction : {1, -1})
    for (const double shear : {1.0, 1.37}) {
      std::vector<TileSpec> tiles = four_oblique_tiles(shear, direction);
      for (TileSpec& t : tiles) t.voxel = constant(9);
      MosaicSettings settings;
      settings.output_offset = {3, 2, 1};
      const auto mosaic = Scene(tiles).build(settings);
      const ValidRegion region = mosaic->region();
      EXPECT_EQ(region.shape, mosaic->shape());
      EXPECT_EQ(region.shear, shear);
      EXPECT_EQ(region.direction, direction);
      const Voxels all = read_all(*mosaic);
      for (std::int64_t z = 0; z < all.size.z; ++z)
        for (std::int64_t x = 0; x < all.size.x; ++x) {
          bool any = false;
          for (std::int64_t y = 0; y < all.size.y; ++y) any = any || all.at(x, y, z) != 0;
          const double k = region.frame_position(static_cast<double>(x), static_cast<double>(z));
          const bool inside = k > -1e-6 && k < static_cast<double>(region.frames - 1) + 1e-6;
          ASSERT_TRUE(inside || !any) << x << "," << z;
        }
    }
}

TEST(Mosaic, KnowsWhereThereIsNothingWithoutReading) {
  const ValidRegion region = oblique_region({0, 8, 40}, 10, 1);
  const Scene scene({{region, {0, 0, 0}, constant(3)}, {region, {100, 0, 0}, constant(3)}});
  const auto mosaic = scene.build();
  EXPECT_FALSE(mosaic->may_hold_data({{0, 0, 20}, {10, 8, 30}}));
  EXPECT_FALSE(mosaic->may_hold_data({{60, 0, 0}, {90, 8, 40}}));
  EXPECT_FALSE(mosaic->may_hold_data({{40, 0, 0}, {60, 8, 8}}));
  EXPECT_TRUE(mosaic->may_hold_data({{0, 0, 0}, {1, 1, 1}}));
  EXPECT_TRUE(mosaic->may_hold_data({{130, 0, 30}, {140, 8, 40}}));
}

TEST(Mosaic, RefusesTilesThatDoNotGoTogether) {
  const auto tile = [](Vec3 um, spim::PixelType type) {
    auto volume = std::make_shared<MemoryVolume>(box_region({4, 4, 4}), constant(1));
    volume->set_voxel_um(um);
    volume->set_type(type);
    return volume;
  };
  const auto message_of = [](std::vector<PlacedTile> tiles, const MosaicSettings& settings = {}) {
    try {
      (void)spim::mosaic(std::move(tiles), settings);
    } catch (const spim::Error& e) {
      return std::string(e.what());
    }
    return std::string("nothing was thrown");
  };
  const auto good = tile({1, 2, 3}, spim::PixelType::u16);
  EXPECT_THAT(message_of({}), HasSubstr("at least one"));
  EXPECT_THAT(message_of({{good, {}, "first"}, {tile({1, 2, 3}, spim::PixelType::u8), {}, "odd"}}),
              testing::AllOf(HasSubstr("odd"), HasSubstr("8-bit"), HasSubstr("first")));
  EXPECT_THAT(message_of({{good, {}, "first"}, {tile({1, 2, 4}, spim::PixelType::u16), {}, "odd"}}),
              testing::AllOf(HasSubstr("odd"), HasSubstr("1 x 2 x 4"), HasSubstr("1 x 2 x 3")));
  EXPECT_THAT(message_of({{tile({0, 0, 0}, spim::PixelType::u16), {}, "odd"}}), HasSubstr("odd"));
  EXPECT_THAT(message_of({{good, {1e300, 0, 0}, "far"}}), HasSubstr("far"));
  EXPECT_THAT(message_of({{good, {std::nan(""), 0, 0}, "nowhere"}}), HasSubstr("nowhere"));
  MosaicSettings settings;
  settings.output_offset = {2, 0, 0};
  settings.output_size = {3, 0, 0};
  EXPECT_THAT(
      message_of({{good, {}, "first"}}, settings),
      testing::AllOf(HasSubstr("3,0,0"), HasSubstr("2,0,0"), HasSubstr("4,4,4"), HasSubstr("--output-size")));
  settings.output_size = {0, -1, 0};
  EXPECT_THAT(message_of({{good, {}, "first"}}, settings), HasSubstr("--output-size"));
  settings.output_offset = {std::numeric_limits<std::int64_t>::max(), 0, 0};
  EXPECT_THAT(message_of({{good, {}, "first"}}, settings), HasSubstr("--output-offset"));
}

TEST(Mosaic, PreparesOnlyWhatIsWantedAndDropsTheRest) {
  const ValidRegion region = oblique_region({0, 8, 16}, 20, 1);
  auto a = std::make_shared<MemoryVolume>(region, noise_of(1));
  auto b = std::make_shared<MemoryVolume>(region, noise_of(2));
  const auto mosaic = spim::mosaic({{a, {0, 0, 0}, "a"}, {b, {200, 0, 0}, "b"}}, {});
  const spim::CancelToken cancel;
  const spim::Executor executor(1, cancel);
  const spim::Box box{{4, 0, 0}, {12, 8, 8}};
  const std::vector<spim::Box> boxes{box};
  mosaic->prepare(boxes, executor);
  EXPECT_EQ(a->prepared_now(), 1);
  EXPECT_EQ(b->prepared_now(), 0);
  EXPECT_EQ(mosaic->memory_for(boxes), a->most_prepared());
  (void)read_box(*mosaic, box);
  EXPECT_EQ(a->unprepared_reads(), 0);
  mosaic->prepare({}, executor);
  EXPECT_EQ(a->prepared_now(), 0);
}

}  // namespace
