// The global solution: exact where links are, robust where they lie, honest where they say nothing.
#include "spim/host/solve.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/tile_grid.hpp"

namespace spim {
namespace {

using test::finds;
using test::length;
using test::TileGrid;
using test::worst;

constexpr SolveSettings kAll{.align_xz = true};

AlignedLink& link_between(AlignmentResult& result, std::size_t a, std::size_t b) {
  return *std::find_if(result.links.begin(), result.links.end(),
                       [&](const AlignedLink& l) { return l.fixed == a && l.moving == b; });
}

TEST(Solve, ExactLinksGiveExactPositionsThatStartAtZero) {
  const TileGrid grid({3, 3, 2}, 8);
  AlignmentResult result = grid.links();
  solve_positions(result, kAll);
  EXPECT_LT(worst(grid.position_errors(result)), 0.01);
  EXPECT_EQ(result.verdict, Verdict::good) << testing::PrintToString(result.findings);
  Vec3 least = result.tiles.front().position_um;
  for (const AlignedTile& tile : result.tiles) {
    const Vec3 p = tile.position_um;
    least = {std::min(least.x, p.x), std::min(least.y, p.y), std::min(least.z, p.z)};
    EXPECT_LT(length(p + result.origin_um - tile.nominal_um - tile.shift_voxels), 1e-9);
  }
  EXPECT_EQ(least, (Vec3{0, 0, 0}));
}

TEST(Solve, OnlyYMovesUnlessXAndZAreAskedFor) {
  const TileGrid grid({3, 3, 1}, 8);
  AlignmentResult result = grid.links();
  solve_positions(result, {});
  for (std::size_t i = 0; i < grid.tiles.size(); ++i) {
    EXPECT_EQ(result.tiles[i].position_um.x, grid.tiles[i].nominal_um.x);
    EXPECT_EQ(result.tiles[i].position_um.z, grid.tiles[i].nominal_um.z);
    EXPECT_NEAR(grid.position_errors(result)[i].y, 0, 0.01);
  }
  EXPECT_EQ(result.verdict, Verdict::look);
  EXPECT_TRUE(finds(result, "--align-xz"));
}

TEST(Solve, ExpectedErrorsAreAsLargeAsErrorsAre) {
  double squared = 0, expected = 0;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    const TileGrid grid({4, 4, 1}, 8, seed);
    AlignmentResult result = grid.links();
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, 0.3);
    for (AlignedLink& link : result.links) {
      link.shift_voxels = link.shift_voxels + Vec3{noise(random), noise(random), noise(random)};
      link.error_voxels = {0.3, 0.3, 0.3};
      link.confidence = 1;
    }
    solve_positions(result, kAll);
    const std::vector<Vec3> errors = grid.position_errors(result);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      squared += errors[i].y * errors[i].y;
      expected += result.tiles[i].expected_error_voxels.y * result.tiles[i].expected_error_voxels.y;
    }
  }
  EXPECT_GT(expected, 0.8 * squared);
  EXPECT_LT(expected, 1.8 * squared);
}

TEST(Solve, ALinkThatLiesIsFoundAndNamed) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    const TileGrid grid({3, 3, 1}, 8, seed);
    AlignmentResult result = grid.links();
    AlignedLink& lie = link_between(result, 1, 4);
    lie.shift_voxels = lie.shift_voxels + Vec3{0, 12, 0};
    solve_positions(result, kAll);
    EXPECT_FALSE(lie.trusted) << seed;
    EXPECT_EQ(
        std::count_if(result.links.begin(), result.links.end(), [](const auto& l) { return !l.trusted; }), 1);
    EXPECT_LT(worst(grid.position_errors(result)), 0.05) << seed;
    EXPECT_NE(lie.rejection.find("contradicts"), std::string::npos);
    EXPECT_EQ(result.verdict, Verdict::look);
    EXPECT_TRUE(finds(result, "link between tile 1 and tile 4"));
  }
}

TEST(Solve, SeveralLiesInALargeGridAreFound) {
  const TileGrid grid({8, 8, 1}, 8, 3);
  AlignmentResult result = grid.links();
  std::mt19937 random(5);
  std::uniform_real_distribution<double> far(5, 40);
  std::vector<std::size_t> lies;
  for (std::size_t k = 3; k < result.links.size(); k += 9) {
    lies.push_back(k);
    result.links[k].shift_voxels = result.links[k].shift_voxels + Vec3{far(random), -far(random), 0};
  }
  solve_positions(result, kAll);
  for (const std::size_t k : lies) EXPECT_FALSE(result.links[k].trusted) << k;
  EXPECT_LT(worst(grid.position_errors(result)), 0.1);
}

TEST(Solve, AContradictionThatCannotBeResolvedIsNeverCalledGood) {
  // Tile 0 has two links, and one of them lies: which one cannot be told.
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    const TileGrid grid({2, 2, 1}, 8, seed);
    AlignmentResult result = grid.links();
    AlignedLink& lie = link_between(result, 0, 1);
    lie.shift_voxels = lie.shift_voxels + Vec3{9, 0, 0};
    solve_positions(result, kAll);
    EXPECT_EQ(result.verdict, Verdict::look);
    const std::vector<Vec3> errors = grid.position_errors(result);
    for (std::size_t i = 0; i < errors.size(); ++i)
      if (result.tiles[i].certain) {
        EXPECT_LT(std::abs(errors[i].x), 9.5);
      }
    EXPECT_TRUE(std::any_of(result.tiles.begin(), result.tiles.end(), [](const AlignedTile& t) {
      return !t.certain && t.expected_error_voxels.x > 5;
    }));
  }
}

TEST(Solve, ALinkThatNothingConfirmsIsNotCalledGoodUnlessASecondAlignerAgrees) {
  const TileGrid grid({2, 1, 1}, 8);
  AlignmentResult result = grid.links();
  ASSERT_EQ(result.links.size(), 1U);
  solve_positions(result, kAll);
  EXPECT_EQ(result.verdict, Verdict::look);
  EXPECT_FALSE(result.tiles[1].certain);
  result.links[0].confirmed = true;
  solve_positions(result, kAll);
  EXPECT_EQ(result.verdict, Verdict::good) << testing::PrintToString(result.findings);
}

TEST(Solve, ATileWithoutLinksStaysAtTheStageAndIsReported) {
  const TileGrid grid({3, 3, 1}, 4);
  AlignmentResult result = grid.links();
  for (AlignedLink& link : result.links)
    if (link.fixed == 8 || link.moving == 8) {
      link.measured = false;
      link.samples.clear();
      link.agrees.clear();
      link.rejection = "nothing there";
    }
  solve_positions(result, kAll);
  EXPECT_FALSE(result.tiles[8].linked);
  EXPECT_EQ(result.tiles[8].shift_voxels, (Vec3{0, 0, 0}));
  EXPECT_EQ(result.verdict, Verdict::look);
  EXPECT_TRUE(finds(result, "tile 8 has no trusted link"));
  std::vector<Vec3> rest = grid.position_errors(result);
  const Vec3 first = rest[0];
  rest.pop_back();
  for (Vec3& e : rest) e = e - first;
  EXPECT_LT(worst(rest), 0.05);
}

TEST(Solve, SeparateGroupsAreEachAnchoredToTheStage) {
  const TileGrid grid({5, 2, 1}, 3);
  AlignmentResult result = grid.links();
  for (AlignedLink& link : result.links)  // nothing is known between columns 1 and 2
    if (link.fixed % 5 == 1 && link.moving % 5 == 2) link.measured = false;
  solve_positions(result, kAll);
  EXPECT_NE(result.tiles[0].component, result.tiles[4].component);
  EXPECT_TRUE(finds(result, "2 separate groups"));
  Vec3 sum;
  for (const AlignedTile& tile : result.tiles)
    if (tile.component == result.tiles[4].component) sum = sum + tile.shift_voxels;
  EXPECT_LT(std::abs(sum.x), 6 * 1.5);  // their mean is near the stage
}

TEST(Solve, OverlapsWithoutContentKeepTheStagePositionsAndSaySo) {
  const TileGrid grid({3, 3, 1}, 8);
  AlignmentResult result = grid.links();
  for (AlignedLink& link : result.links) {
    link.measured = false;
    link.samples.clear();
    link.agrees.clear();
  }
  solve_positions(result, kAll);
  for (std::size_t i = 0; i < grid.tiles.size(); ++i)
    EXPECT_EQ(result.tiles[i].position_um, grid.tiles[i].nominal_um);
  EXPECT_EQ(result.verdict, Verdict::do_not_use);
  EXPECT_TRUE(finds(result, "left where the stage says"));
}

TEST(Solve, ATileThatTheStageLostIsPlacedAndNamed) {
  TileGrid grid({3, 3, 1}, 2);
  grid.errors[4] = {10, 60, 0};
  AlignmentResult result = grid.links();
  solve_positions(result, kAll);
  EXPECT_LT(worst(grid.position_errors(result)), 0.05);
  EXPECT_EQ(result.verdict, Verdict::look);
  EXPECT_TRUE(finds(result, "tile tile 4 is"));
  EXPECT_EQ(std::count_if(result.tiles.begin(), result.tiles.end(),
                          [](const auto& t) { return !t.remark.empty(); }),
            1);
}

TEST(Solve, AWrongVoxelSizeIsFoundToAThousandth) {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    TileGrid grid({3, 3, 1}, 0.2, seed);
    // True voxels are 2 % smaller than given: tiles are more of them apart.
    for (std::size_t i = 0; i < grid.tiles.size(); ++i)
      grid.errors[i].y += grid.tiles[i].nominal_um.y * (1 / 0.98 - 1);
    AlignmentResult result = grid.links();
    solve_positions(result, {});
    ASSERT_TRUE(result.y_voxel.determined);
    EXPECT_NEAR(result.y_voxel.value_um, 0.98, 0.001) << seed;
    EXPECT_LT(std::abs(result.y_voxel.value_um - 0.98), 4 * result.y_voxel.standard_error_um);
  }
}

TEST(Solve, TwoTilesDoNotTellALostTileFromAWrongVoxelSize) {
  TileGrid grid({1, 2, 1}, 0);
  for (TileToAlign& tile : grid.tiles) {
    tile.nominal_um.y *= 20;
    tile.region = test::box_region({100, 2000, 50});
  }
  grid.errors[1].y = 60;
  AlignmentResult result = grid.links();
  ASSERT_EQ(result.links.size(), 1U);
  result.links[0].confirmed = true;
  solve_positions(result, {});
  EXPECT_FALSE(result.y_voxel.determined);
  EXPECT_LT(worst(grid.position_errors(result)), 0.1);
}

TEST(Solve, AVoxelSizeThatTheStageIsTooBadToTellIsLeftAsGiven) {
  const TileGrid grid({3, 3, 1}, 8);
  AlignmentResult result = grid.links();
  solve_positions(result, kAll);
  EXPECT_FALSE(result.y_voxel.determined);
  EXPECT_EQ(result.y_voxel.value_um, 1);
}

TEST(Solve, ARightVoxelSizeIsNotReplacedByAWrongOne) {
  int determined = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    TileGrid grid({3, 3, 1}, 8, seed);
    for (TileToAlign& tile : grid.tiles) tile.nominal_um.y *= 2.5;
    for (TileToAlign& tile : grid.tiles) tile.region = test::box_region({100, 250, 50});
    AlignmentResult result = grid.links();
    solve_positions(result, kAll);
    determined += result.y_voxel.determined;
  }
  EXPECT_LE(determined, 3);
}

TEST(Solve, LongRowsTellTheVoxelSizeAlthoughTheStageIsOff) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    TileGrid grid({1, 14, 1}, 8, seed);
    for (TileToAlign& tile : grid.tiles) {
      tile.nominal_um.y *= 20;
      tile.region = test::box_region({100, 2000, 50});
    }
    for (std::size_t i = 0; i < grid.tiles.size(); ++i)
      grid.errors[i].y += grid.tiles[i].nominal_um.y * (1 / 0.98 - 1);
    AlignmentResult result = grid.links();
    for (AlignedLink& link : result.links) link.confirmed = true;
    solve_positions(result, {});
    ASSERT_TRUE(result.y_voxel.determined) << seed;
    EXPECT_NEAR(result.y_voxel.value_um, 0.98, 0.001) << seed;
  }
}

TEST(Solve, ATileThatOneContradictedLinkCarriesOffStaysAtTheStage) {
  TileGrid grid({3, 3, 1}, 4);
  AlignmentResult result = grid.links();
  link_between(result, 0, 1).shift_voxels = {94, 0, 3};
  link_between(result, 0, 3).shift_voxels = {5, 41, 0};
  solve_positions(result, kAll);
  EXPECT_EQ(result.verdict, Verdict::look);
  EXPECT_FALSE(result.tiles[0].linked);
  EXPECT_LT(length(result.tiles[0].shift_voxels), 12);
  EXPECT_TRUE(finds(result, "tile tile 0 has no trusted link and is left where the stage says"));
  EXPECT_TRUE(finds(result, "link between tile 0 and tile 1: "));
  EXPECT_TRUE(finds(result, "link between tile 0 and tile 3: "));
  const std::vector<Vec3> errors = grid.position_errors(result);
  for (std::size_t i = 1; i < errors.size(); ++i) EXPECT_LT(length(errors[i] - errors[1]), 0.1);
}

TEST(Solve, ALoneLinkMayMoveATileAsFarAsStagesAreOffOnly) {
  TileGrid grid({3, 1, 1}, 2);
  AlignmentResult result = grid.links();
  ASSERT_EQ(result.links.size(), 2U);
  result.links[0].confirmed = true;
  result.links[1].shift_voxels.x += 60;
  solve_positions(result, kAll);
  EXPECT_FALSE(result.tiles[2].linked);
  EXPECT_FALSE(result.links[1].trusted);
  EXPECT_NE(result.links[1].rejection.find("nothing else confirms it"), std::string::npos);
  result.links[1].confirmed = true;
  solve_positions(result, kAll);
  EXPECT_TRUE(result.tiles[2].linked);
}

TEST(Solve, TwoTilesFarFromEachOthersPlaceAreNamed) {
  TileGrid grid({2, 1, 1}, 2);
  grid.errors[1].y = 60;
  AlignmentResult result = grid.links();
  result.links[0].confirmed = true;
  solve_positions(result, kAll);
  EXPECT_EQ(result.verdict, Verdict::look);
  for (const char* tile : {"tile tile 0 is", "tile tile 1 is"}) EXPECT_TRUE(finds(result, tile)) << tile;
  EXPECT_LT(worst(grid.position_errors(result)), 0.1);
}

TEST(Solve, AThousandTilesAreSolved) {
  const TileGrid grid({10, 10, 10}, 8);
  AlignmentResult result = grid.links();
  std::mt19937 random(2);
  std::normal_distribution<double> noise(0, 0.1);
  for (AlignedLink& link : result.links) link.shift_voxels.y += noise(random);
  for (std::size_t k = 0; k < result.links.size(); k += 50) result.links[k].shift_voxels.x += 30;
  solve_positions(result, kAll);
  EXPECT_LT(worst(grid.position_errors(result)), 0.5);
  EXPECT_EQ(std::count_if(result.links.begin(), result.links.end(), [](const auto& l) { return !l.trusted; }),
            54);
}

AlignedLink with_samples(const std::vector<ShiftSample>& samples) {
  AlignedLink link;
  link.samples = samples;
  find_consensus(link, {});
  return link;
}

ShiftSample sample(double x, double y, double z, double confidence = 0.9) {
  return {{0, 0, 0}, {x, y, z}, 0.97, confidence};
}

TEST(Consensus, IsWhatMostSamplesSay) {
  const AlignedLink link = with_samples(
      {sample(3, -2, 1), sample(3.1, -2.1, 1), sample(2.9, -1.9, 1), sample(9, 9, 9), sample(-8, 3, 2)});
  EXPECT_TRUE(link.measured);
  EXPECT_NEAR(link.shift_voxels.x, 3, 0.05);
  EXPECT_NEAR(link.shift_voxels.y, -2, 0.05);
  EXPECT_EQ(link.agrees, (std::vector<std::uint8_t>{1, 1, 1, 0, 0}));
  EXPECT_GT(link.confidence, 0.5);
  EXPECT_GT(link.error_voxels.x, 0.05);
}

TEST(Consensus, RefusesTwoEqualAnswers) {
  const AlignedLink link =
      with_samples({sample(0, 0, 0), sample(0, 0, 0.1), sample(0, 12, 0), sample(0, 12, 0.1)});
  EXPECT_FALSE(link.measured);
  EXPECT_NE(link.rejection.find("equally likely"), std::string::npos);
}

TEST(Consensus, RefusesSamplesThatAllDisagree) {
  const AlignedLink link = with_samples({sample(0, 0, 0, 0.2), sample(5, 0, 0, 0.3), sample(0, 12, 0, 0.2)});
  EXPECT_FALSE(link.measured);
  EXPECT_FALSE(link.rejection.empty());
}

TEST(Consensus, NoSampleMeansNoContent) {
  const AlignedLink link = with_samples({});
  EXPECT_FALSE(link.measured);
  EXPECT_NE(link.rejection.find("no content"), std::string::npos);
}

TEST(Consensus, SamplesWithoutConfidenceCountForNothing) {
  EXPECT_FALSE(with_samples({sample(1, 1, 1, 0), sample(1, 1, 1, 0)}).measured);
  const AlignedLink link = with_samples({sample(1, 1, 1, 0.8), sample(7, 7, 7, 0), sample(7, 7, 7, 0)});
  EXPECT_TRUE(link.measured);
  EXPECT_EQ(link.shift_voxels.x, 1);
}

}  // namespace
}  // namespace spim
