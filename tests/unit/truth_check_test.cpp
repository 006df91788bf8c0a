/// The comparison with the truth: it praises a perfect volume and names each fault that is put into one.

#include "spim/host/truth_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include "spim/error.hpp"

namespace {

using spim::Box;
using spim::Index3;
using spim::SimulationSettings;
using spim::TrueTile;
using spim::TruthReport;
using spim::Vec3;

/// A volume in memory.
class Stitched final : public spim::VolumeReader {
 public:
  Index3 shape;
  Vec3 voxel_um;
  std::vector<std::uint16_t> voxels;

  std::uint16_t& at(Index3 p) {
    return voxels[static_cast<std::size_t>((p.z * shape.y + p.y) * shape.x + p.x)];
  }
  void for_each(const std::function<void(Index3, std::uint16_t&)>& visit) {
    for (std::int64_t z = 0; z < shape.z; ++z)
      for (std::int64_t y = 0; y < shape.y; ++y)
        for (std::int64_t x = 0; x < shape.x; ++x) visit({x, y, z}, at({x, y, z}));
  }

  spim::VolumeInfo info() const override { return {}; }
  spim::LevelInfo level(std::int32_t) const override { return {shape, {64, 64, 64}, voxel_um, {}}; }
  void read(std::int32_t, const Box& box, spim::VolumeView<std::uint16_t> out) override {
    for (std::int64_t z = box.begin.z; z < box.end.z; ++z)
      for (std::int64_t y = box.begin.y; y < box.end.y; ++y)
        for (std::int64_t x = box.begin.x; x < box.end.x; ++x)
          out.row(y - box.begin.y, z - box.begin.z)[x - box.begin.x] = at({x, y, z});
  }
};

/// Stitches camera frames the plain way: for every tile and voxel, the two frames around it, then a mean
/// weighted by the squared distance to the nearest face. Written apart from what it tests.
Stitched stitch(const std::vector<TrueTile>& tiles) {
  const spim::SimulatedStack& s = tiles.front().stack;
  const double angle = s.tilt_degrees * std::numbers::pi / 180;
  const double r = s.y_voxel_um * std::cos(angle) / s.x_step_um;
  Stitched volume;
  volume.voxel_um = {s.x_step_um, s.y_voxel_um, s.y_voxel_um * std::sin(angle)};
  std::vector<Index3> offsets;
  Vec3 least = tiles.front().nominal_um;
  for (const TrueTile& tile : tiles)
    least = {std::min(least.x, tile.nominal_um.x), std::min(least.y, tile.nominal_um.y),
             std::min(least.z, tile.nominal_um.z)};
  const Index3 extent{s.frames + static_cast<std::int64_t>(std::ceil(r * static_cast<double>(s.columns - 1))),
                      s.rows, s.columns};
  for (const TrueTile& tile : tiles) {
    const Vec3 from = tile.nominal_um - least;
    offsets.push_back({std::llround(from.x / volume.voxel_um.x), std::llround(from.y / volume.voxel_um.y),
                       std::llround(from.z / volume.voxel_um.z)});
    volume.shape = max(volume.shape, offsets.back() + extent);
  }
  volume.voxels.resize(static_cast<std::size_t>(count(volume.shape)));
  std::vector<double> weights(volume.voxels.size()), sums(volume.voxels.size());
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    const spim::StackSimulator simulator(tiles[t].stack);
    const auto pixels = static_cast<std::size_t>(s.rows * s.columns);
    std::vector<std::uint16_t> frames(pixels * static_cast<std::size_t>(s.frames));
    for (std::int64_t k = 0; k < s.frames; ++k)
      simulator.expose(k, {},
                       {frames.data() + static_cast<std::size_t>(k) * pixels, s.rows, s.columns, s.columns});
    for (std::int64_t z = 0; z < s.columns; ++z)
      for (std::int64_t y = 0; y < s.rows; ++y)
        for (std::int64_t x = 0; x < extent.x; ++x) {
          const double first = s.direction < 0 ? static_cast<double>(s.frames - 1) : 0;
          const double k = s.direction * (static_cast<double>(x) - first - r * static_cast<double>(z));
          if (k < 0 || k > static_cast<double>(s.frames - 1)) continue;
          const auto low = static_cast<std::int64_t>(k), high = std::min(low + 1, s.frames - 1);
          const auto sample = [&](std::int64_t frame) {
            return static_cast<double>(
                frames[static_cast<std::size_t>((frame * s.rows + y) * s.columns + z)]);
          };
          const double part = k - static_cast<double>(low);
          const double value = std::floor(sample(low) * (1 - part) + sample(high) * part + 0.5);
          const double dx =
              (std::min(k, static_cast<double>(s.frames - 1) - k) + 1) * s.x_step_um * std::sin(angle);
          const double dy = static_cast<double>(std::min(y, s.rows - 1 - y) + 1) * s.y_voxel_um;
          const double dz = static_cast<double>(std::min(z, s.columns - 1 - z) + 1) * volume.voxel_um.z;
          const double weight = std::pow(std::min({dx, dy, dz}), 2);
          const Index3 at = offsets[t] + Index3{x, y, z};
          const auto n = static_cast<std::size_t>((at.z * volume.shape.y + at.y) * volume.shape.x + at.x);
          weights[n] += weight;
          sums[n] += weight * value;
        }
  }
  for (std::size_t n = 0; n < weights.size(); ++n)
    if (weights[n] > 0) volume.voxels[n] = static_cast<std::uint16_t>(sums[n] / weights[n] + 0.5);
  return volume;
}

SimulationSettings two_tiles() {
  SimulationSettings settings;
  settings.seed = 31;
  settings.stack = {80, 64, 48};
  settings.scan.x_step_um = 1.4;  // a shear of 0.91, so that every plane is interpolated
  settings.tiles = {1, 2, 1};
  settings.overlap = {0.2, 0.2, 0.2};
  settings.organ_size = 0;
  settings.illumination = 0.3;
  settings.stripes = 0.2;
  return settings;
}

TruthReport check(const std::vector<TrueTile>& tiles, Stitched& volume, int workers = 2) {
  const spim::CancelToken cancel;
  const spim::Executor executor(workers, cancel);
  spim::NoProgress progress;
  spim::TruthCheckSettings settings;
  settings.blocks = 0;
  settings.search = 5;
  return spim::check_truth(tiles, {&volume, {}}, settings, executor, progress);
}

class TruthCheck : public testing::Test {
 protected:
  /// Nominal positions of these tiles fall on whole voxels, so that nothing is lost by rounding.
  static std::vector<TrueTile> exact_tiles(const SimulationSettings& settings) {
    std::vector<TrueTile> tiles = spim::plan_simulation(settings);
    for (TrueTile& tile : tiles) {
      const Vec3 error = tile.error_um();
      tile.nominal_um.x = std::round(tile.nominal_um.x / 1.4) * 1.4;
      tile.nominal_um.y = std::round(tile.nominal_um.y / 1.8) * 1.8;
      tile.stack.position_um = tile.nominal_um + error;
    }
    return tiles;
  }
};

TEST_F(TruthCheck, FindsNothingButNoiseInAPerfectVolume) {
  for (const int direction : {1, -1}) {
    SimulationSettings settings = two_tiles();
    settings.scan.direction = direction;
    const std::vector<TrueTile> tiles = exact_tiles(settings);
    Stitched volume = stitch(tiles);
    const TruthReport report = check(tiles, volume);
    EXPECT_EQ(report.voxels, count(volume.shape));
    EXPECT_GT(report.expected_covered, 2 * 79 * 64 * 48 * 8 / 10);
    EXPECT_EQ(report.missing, 0);
    EXPECT_EQ(report.uncovered_nonzero, 0);
    EXPECT_NEAR(report.error_in_sigmas, 1, 0.05);
    EXPECT_NEAR(report.bias, 0, 0.3);
    EXPECT_GT(report.correlation, 0.95);
    EXPECT_LT(report.worst_misplacement, 0.06);
    ASSERT_EQ(report.tiles.size(), 2U);
    EXPECT_TRUE(report.tiles[0].measured && report.tiles[1].measured);
    ASSERT_TRUE(report.worst_seam);
    EXPECT_LT(std::abs(report.worst_seam->relative_error), 0.02);
  }
}

TEST_F(TruthCheck, GivesTheSameNumbersWhateverTheNumberOfWorkers) {
  const std::vector<TrueTile> tiles = exact_tiles(two_tiles());
  Stitched volume = stitch(tiles);
  const TruthReport one = check(tiles, volume, 1), three = check(tiles, volume, 3);
  EXPECT_EQ(one.rms_error, three.rms_error);
  EXPECT_EQ(one.correlation, three.correlation);
  EXPECT_EQ(one.tiles[1].misplacement_voxels, three.tiles[1].misplacement_voxels);
}

TEST_F(TruthCheck, MeasuresStageErrorsToATenthOfAVoxel) {
  SimulationSettings settings = two_tiles();
  settings.stage_error_um = {5, 7, 5};
  const std::vector<TrueTile> tiles = exact_tiles(settings);
  Stitched volume = stitch(tiles);
  const TruthReport report = check(tiles, volume);
  for (std::size_t t = 0; t < 2; ++t) {
    const Vec3 error = tiles[t].error_um(), found = report.tiles[t].misplacement_voxels;
    ASSERT_TRUE(report.tiles[t].measured);
    EXPECT_NEAR(found.x, error.x / volume.voxel_um.x, 0.1);
    EXPECT_NEAR(found.y, error.y / volume.voxel_um.y, 0.1);
    EXPECT_NEAR(found.z, error.z / volume.voxel_um.z, 0.1);
  }
  EXPECT_GT(report.error_in_sigmas, 1.5);
  EXPECT_NEAR(report.moved_error_in_sigmas, 1, 0.1);
  EXPECT_GT(report.worst_relative_misplacement, 0.5);
}

TEST_F(TruthCheck, NoticesAVolumeThatIsShiftedByOneVoxel) {
  const std::vector<TrueTile> tiles = exact_tiles(two_tiles());
  Stitched volume = stitch(tiles);
  Stitched shifted = volume;
  shifted.for_each([&](Index3 p, std::uint16_t& v) {
    v = p.y > 0 ? volume.at({p.x, p.y - 1, p.z}) : std::uint16_t{0};
  });
  const TruthReport report = check(tiles, shifted);
  EXPECT_NEAR(report.misplacement_voxels.y, -1, 0.1);
  EXPECT_GT(report.worst_misplacement, 0.9);
  EXPECT_LT(report.worst_relative_misplacement, 0.1);
  EXPECT_GT(report.missing, 0);
}

TEST_F(TruthCheck, NoticesGreyLevelsThatAreScaled) {
  const std::vector<TrueTile> tiles = exact_tiles(two_tiles());
  Stitched volume = stitch(tiles);
  volume.for_each([](Index3, std::uint16_t& v) { v = static_cast<std::uint16_t>(v * 0.8); });
  const TruthReport report = check(tiles, volume);
  EXPECT_LT(report.bias, -20);
  EXPECT_GT(report.moved_error_in_sigmas, 1.5);
}

TEST_F(TruthCheck, NoticesADarkSeam) {
  const std::vector<TrueTile> tiles = exact_tiles(two_tiles());
  Stitched volume = stitch(tiles);
  const std::int64_t seam = std::llround((tiles[1].nominal_um.y - tiles[0].nominal_um.y) / 1.8);
  volume.for_each([seam](Index3 p, std::uint16_t& v) {
    if (p.y == seam) v = static_cast<std::uint16_t>(v / 2);
  });
  const TruthReport report = check(tiles, volume);
  ASSERT_TRUE(report.worst_seam);
  EXPECT_EQ(report.worst_seam->axis, 'y');
  EXPECT_EQ(report.worst_seam->distance, 0);
  EXPECT_LT(report.worst_seam->relative_error, -0.2);
}

TEST_F(TruthCheck, NoticesHolesAndVoxelsOutOfNowhere) {
  const std::vector<TrueTile> tiles = exact_tiles(two_tiles());
  Stitched volume = stitch(tiles);
  volume.at({60, 30, 30}) = 0;
  volume.at({0, 0, volume.shape.z - 1}) = 7;  // the sheet starts further right at that depth
  const TruthReport report = check(tiles, volume);
  EXPECT_EQ(report.missing, 1);
  EXPECT_EQ(report.uncovered_nonzero, 1);
}

TEST_F(TruthCheck, SaysSoWhenATileShowsNothing) {
  SimulationSettings settings = two_tiles();
  settings.empty_tiles = {{0, 1, 0}};
  const std::vector<TrueTile> tiles = exact_tiles(settings);
  Stitched volume = stitch(tiles);
  const TruthReport report = check(tiles, volume);
  EXPECT_TRUE(report.tiles[0].measured);
  EXPECT_FALSE(report.tiles[1].measured);
  EXPECT_NEAR(report.error_in_sigmas, 1, 0.05);
}

TEST_F(TruthCheck, SamplesBlocksOfALargeVolume) {
  const std::vector<TrueTile> tiles = exact_tiles(two_tiles());
  Stitched volume = stitch(tiles);
  const spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  spim::NoProgress progress;
  spim::TruthCheckSettings settings;
  settings.blocks = 5;
  settings.search = 2;
  const TruthReport report = spim::check_truth(tiles, {&volume, {}}, settings, executor, progress);
  EXPECT_EQ(report.voxels, 5 * 64 * 64 * 16);
  EXPECT_NEAR(report.error_in_sigmas, 1, 0.1);
}

TEST_F(TruthCheck, RefusesAVolumeOfAnotherVoxelSize) {
  const std::vector<TrueTile> tiles = exact_tiles(two_tiles());
  Stitched volume;
  volume.shape = {10, 10, 10};
  volume.voxel_um = {2, 1.8, 1.27279};
  EXPECT_THROW(check(tiles, volume), spim::Error);
}

}  // namespace
