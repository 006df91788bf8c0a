// The whole alignment with an aligner that knows the truth, or lies about it.
#include "spim/host/align_tiles.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <mutex>
#include <set>
#include <thread>

#include "spim/error.hpp"
#include "support/tile_grid.hpp"

namespace spim {
namespace {

using test::finds;
using test::TileGrid;
using test::worst;

/// Answers a task as a function of the nominal distance of the tiles and of what the truth is.
class FakeAligner final : public Aligner {
 public:
  using Answer = std::function<void(const AlignTask& task, Vec3 truth, ShiftSink& sink)>;

  FakeAligner(const TileGrid& grid, Answer answer) : grid_(&grid), answer_(std::move(answer)) {}

  void align(const AlignTask& task, ShiftSink& sink) override {
    ++asked;
    // A tile's first voxel holds its number.
    const auto number = [](TileView& tile) {
      float value = 0;
      tile.read({{0, 0, 0}, {1, 1, 1}}, dense_view(&value, {1, 1, 1}));
      return static_cast<std::size_t>(value);
    };
    const std::size_t fixed = number(*task.fixed), moving = number(*task.moving);
    answer_(task, grid_->errors[moving] - grid_->errors[fixed], sink);
  }

  std::atomic<int> asked{0};

 private:
  const TileGrid* grid_;
  Answer answer_;
};

void tell(ShiftSink& sink, Vec3 shift) {
  for (int n = 0; n < 5; ++n) sink.add({{50, 50, 25}, shift + Vec3{0.01 * n, 0, 0}, 0.98, 0.9});
}

class Align : public testing::Test {
 protected:
  AlignmentResult run(const TileGrid& grid, const std::vector<FakeAligner::Answer>& answers) {
    aligners.clear();
    std::vector<NamedAligner> named;
    for (const auto& answer : answers) {
      aligners.push_back(std::make_shared<FakeAligner>(grid, answer));
      named.push_back({"fake" + std::to_string(aligners.size()), aligners.back()});
    }
    AlignSettings settings;
    settings.voxel_um = TileGrid::kVoxel;
    settings.solve.align_xz = true;
    settings.open_tiles = 4;
    const TileOpener open = [&](std::size_t i) {
      const std::lock_guard lock(mutex);
      opened.insert(i);
      ++openings;
      // Nothing but the first voxel is ever read.
      auto volume = std::make_shared<test::MemoryVolume>(
          test::box_region({1, 1, 1}), [i](auto, auto, auto) { return static_cast<std::uint16_t>(i); });
      return std::shared_ptr<const VolumeSource>(volume);
    };
    return align_tiles(grid.tiles, open, named, settings, Executor(workers, token), progress);
  }

  int workers = 2;
  CancelToken token;
  NoProgress progress;
  std::mutex mutex;
  std::set<std::size_t> opened;
  int openings = 0;
  std::vector<std::shared_ptr<FakeAligner>> aligners;
};

const FakeAligner::Answer kTruth = [](const AlignTask&, Vec3 truth, ShiftSink& sink) { tell(sink, truth); };
const FakeAligner::Answer kNothing = [](const AlignTask&, Vec3, ShiftSink&) {};

bool between(const AlignTask& task, Vec3 guess) {
  return task.guess_voxels == guess;
}

TEST_F(Align, AGoodAlignerNeedsNoSecondOne) {
  const TileGrid grid({3, 3, 1}, 8);
  const AlignmentResult result = run(grid, {kTruth, kNothing});
  EXPECT_EQ(result.verdict, Verdict::good) << testing::PrintToString(result.findings);
  EXPECT_LT(worst(grid.position_errors(result)), 0.05);
  EXPECT_EQ(result.links.size(), 12U);
  EXPECT_EQ(aligners[0]->asked, 12);
  EXPECT_EQ(aligners[1]->asked, 0);
}

TEST_F(Align, TheSecondAlignerIsAskedWhereTheFirstFindsNothing) {
  const TileGrid grid({3, 3, 1}, 8);
  const auto only_y = [](const AlignTask& task, Vec3 truth, ShiftSink& sink) {
    if (between(task, {0, 90, 0})) tell(sink, truth);
  };
  const AlignmentResult result = run(grid, {only_y, kTruth});
  EXPECT_EQ(result.verdict, Verdict::good) << testing::PrintToString(result.findings);
  EXPECT_LT(worst(grid.position_errors(result)), 0.05);
  for (const AlignedLink& link : result.links)
    EXPECT_EQ(link.aligner, link.guess_voxels.x > 0 ? "fake2" : "fake1");
}

TEST_F(Align, ALieIsOutvotedWithTheHelpOfCorners) {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    const TileGrid grid({3, 3, 1}, 8, seed);
    const auto one_lie = [&](const AlignTask&, Vec3 truth, ShiftSink& sink) {
      const bool lie = std::abs(truth.x - (grid.errors[1] - grid.errors[0]).x) < 1e-9;
      tell(sink, lie ? truth + Vec3{11, 0, 0} : truth);
    };
    const AlignmentResult result = run(grid, {one_lie, kNothing});
    EXPECT_LT(worst(grid.position_errors(result)), 0.5) << seed;
    EXPECT_EQ(result.verdict, Verdict::look);
    EXPECT_TRUE(finds(result, "link between tile 0 and tile 1"));
  }
}

TEST_F(Align, GroupsThatOnlyTouchOverAnEdgeAreJoined) {
  TileGrid grid({2, 2, 1}, 8);
  // The second column begins so much later that only 40 of 100 rows of one tile meet one of the first.
  for (TileToAlign& tile : grid.tiles)
    if (tile.nominal_um.x > 0) {
      tile.nominal_um.y += 150 * TileGrid::kVoxel.y;
      tile.stage_um = tile.nominal_um;
    }
  const AlignmentResult result = run(grid, {kTruth, kTruth});
  EXPECT_EQ(result.links.size(), 3U);
  for (const AlignedTile& tile : result.tiles) EXPECT_EQ(tile.component, result.tiles[0].component);
  EXPECT_LT(worst(grid.position_errors(result)), 0.1);
}

TEST_F(Align, TilesThatShareNoFaceAreMeasuredAllTheSame) {
  TileGrid grid({2, 1, 1}, 8);
  grid.tiles[1].nominal_um.y += 60 * TileGrid::kVoxel.y;
  const AlignmentResult result = run(grid, {kTruth, kTruth});
  EXPECT_EQ(result.links.size(), 1U);
  EXPECT_LT(worst(grid.position_errors(result)), 0.1);
}

TEST_F(Align, TwoTilesAreGoodOnlyWhenASecondAlignerAgrees) {
  const TileGrid grid({2, 1, 1}, 8);
  EXPECT_EQ(run(grid, {kTruth, kTruth}).verdict, Verdict::good);
  EXPECT_EQ(run(grid, {kTruth, kNothing}).verdict, Verdict::look);
  EXPECT_EQ(run(grid, {kTruth}).verdict, Verdict::look);
  const auto other = [](const AlignTask&, Vec3 truth, ShiftSink& sink) { tell(sink, truth + Vec3{0, 7, 0}); };
  const AlignmentResult contested = run(grid, {kTruth, other});
  EXPECT_EQ(contested.verdict, Verdict::do_not_use);
  EXPECT_NE(contested.links[0].rejection.find("fake2 says"), std::string::npos);
  EXPECT_EQ(contested.tiles[1].shift_voxels, (Vec3{0, 0, 0}));
}

TEST_F(Align, OverlapsWithoutContentKeepTheStage) {
  const TileGrid grid({3, 2, 1}, 8);
  const AlignmentResult result = run(grid, {kNothing, kNothing});
  EXPECT_EQ(result.verdict, Verdict::do_not_use);
  for (const AlignedTile& tile : result.tiles) EXPECT_EQ(tile.shift_voxels, (Vec3{0, 0, 0}));
  EXPECT_TRUE(finds(result, "no overlap has content"));
}

TEST_F(Align, AnEmptyTileIsNamedAndTheRestIsRight) {
  const TileGrid grid({3, 3, 1}, 8);
  const auto without_4 = [&](const AlignTask&, Vec3 truth, ShiftSink& sink) {
    for (const std::size_t n : {1, 3, 5, 7})
      if (std::abs(std::abs(truth.x) - std::abs((grid.errors[4] - grid.errors[n]).x)) < 1e-9) return;
    tell(sink, truth);
  };
  const AlignmentResult result = run(grid, {without_4, kNothing});
  EXPECT_EQ(result.verdict, Verdict::look);
  EXPECT_FALSE(result.tiles[4].linked);
  EXPECT_TRUE(finds(result, "tile 4"));
  for (std::size_t i = 0; i < 9; ++i)
    if (i != 4) {
      EXPECT_TRUE(result.tiles[i].certain) << i;
    }
}

TEST_F(Align, TheResultDoesNotDependOnTheNumberOfWorkers) {
  const TileGrid grid({4, 3, 1}, 8);
  const auto noisy = [](const AlignTask& task, Vec3 truth, ShiftSink& sink) {
    tell(sink, truth + Vec3{static_cast<double>(task.seed % 1000) * 1e-4, 0, 0});
  };
  workers = 1;
  const AlignmentResult one = run(grid, {noisy});
  workers = 3;
  const AlignmentResult three = run(grid, {noisy});
  for (std::size_t i = 0; i < one.tiles.size(); ++i)
    EXPECT_EQ(one.tiles[i].position_um, three.tiles[i].position_um);
}

TEST_F(Align, TilesAreOpenedOnDemandAndClosedAgain) {
  const TileGrid grid({12, 12, 1}, 2);
  run(grid, {kTruth});
  EXPECT_EQ(opened.size(), 144U);
  EXPECT_GT(openings, 144);  // only a few stay open
  EXPECT_LT(openings, 4 * 144);
}

TEST_F(Align, AnErrorNamesTheTiles) {
  const TileGrid grid({2, 1, 1}, 2);
  const auto fails = [](const AlignTask&, Vec3, ShiftSink&) { throw Error("it broke"); };
  try {
    run(grid, {fails});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "tile 0 and tile 1: it broke");
  }
}

TEST_F(Align, IsCancelled) {
  token.request();
  const TileGrid grid({2, 1, 1}, 2);
  EXPECT_THROW(run(grid, {kTruth}), Cancelled);
}

TEST(TileViewOfAVolume, ShowsNotANumberOutsideTheData) {
  const ValidRegion region = test::oblique_region({4, 6, 5}, 8, 1.0);
  const auto volume = std::make_shared<test::MemoryVolume>(
      region, [](auto x, auto, auto) { return static_cast<std::uint16_t>(100 + x); });
  VolumeTileView view(volume, region);
  const Box box{{0, 0, 0}, region.shape};
  std::vector<float> voxels(static_cast<std::size_t>(count(region.shape)));
  const auto out = dense_view(voxels.data(), region.shape);
  view.read(box, out);
  for (std::int64_t z = 0; z < region.shape.z; ++z)
    for (std::int64_t x = 0; x < region.shape.x; ++x) {
      const bool inside = region.covers(x, 0, z);
      EXPECT_EQ(std::isnan(out.row(0, z)[x]), !inside);
      EXPECT_EQ(x >= view.valid_x(z).begin && x < view.valid_x(z).end, inside);
      if (inside) {
        EXPECT_EQ(out.row(0, z)[x], static_cast<float>(100 + x));
      }
    }
}

/// A slanted tile of 20 x 150 x 130 voxels in memory, and windows all over it.
class KeptTile : public testing::Test {
 protected:
  std::vector<float> windows(VolumeTileView& view) const {
    std::vector<float> all;
    for (std::int64_t n = 0; n < 24; ++n) {
      const Index3 begin{n % 4 * 40, n % 3 * 60, n * 5}, size{37, 26, 15};
      const Box box = intersect({begin, begin + size}, {{}, region.shape});
      std::vector<float> voxels(static_cast<std::size_t>(count(box.size())));
      view.read(box, dense_view(voxels.data(), box.size()));
      all.insert(all.end(), voxels.begin(), voxels.end());
    }
    return all;
  }
  VolumeTileView keeping(std::int64_t bytes) const { return {volume, region, {{90, 150}, 1000, 20, bytes}}; }
  static std::vector<std::uint32_t> bits(const std::vector<float>& values) {
    std::vector<std::uint32_t> bits;
    for (const float v : values) bits.push_back(std::bit_cast<std::uint32_t>(v));
    return bits;
  }

  ValidRegion region = test::oblique_region({20, 150, 130}, 20, 1.0);
  std::shared_ptr<test::MemoryVolume> volume = std::make_shared<test::MemoryVolume>(region, test::noise);
};

TEST_F(KeptTile, ShowsTheSameVoxelsHoweverMuchIsKept) {
  VolumeTileView direct = keeping(0);
  const std::vector<float> expected = windows(direct);
  for (const std::int64_t bytes : {std::int64_t{1}, std::int64_t{1} << 20, std::int64_t{1} << 30}) {
    VolumeTileView view = keeping(bytes);
    view.expect(1'000'000);
    EXPECT_EQ(bits(windows(view)), bits(expected)) << bytes;
  }
}

TEST_F(KeptTile, IsReadOnceWhenMuchOfItIsExpected) {
  VolumeTileView view = keeping(1 << 30);
  view.expect(1'000'000);
  windows(view);
  const std::int64_t reads = volume->reads();
  windows(view);
  EXPECT_EQ(volume->reads(), reads);
}

TEST_F(KeptTile, IsReadWindowByWindowWhenLittleIsExpected) {
  VolumeTileView view = keeping(1 << 30);
  view.expect(400);
  windows(view);
  EXPECT_EQ(volume->reads(), 24);
}

TEST_F(KeptTile, IsReadByManyThreads) {
  VolumeTileView direct = keeping(0), view = keeping(1 << 18);
  view.expect(1'000'000);
  const auto expected = bits(windows(direct));
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 3; ++t) threads.emplace_back([&] { right += bits(windows(view)) == expected; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 3);
}

TEST(PairPlan, FindsThePairsThatOverlapInALinearScan) {
  const TileGrid grid({10, 10, 10}, 0);
  const std::vector<TilePair> pairs = grid.pairs();
  std::size_t faces = 0, all = 0;
  for (const TilePair& pair : pairs) {
    EXPECT_LT(pair.fixed, pair.moving);
    faces += pair.neighbours;
    ++all;
  }
  EXPECT_EQ(faces, 3U * 9 * 10 * 10);
  EXPECT_EQ(all, (28U * 28 * 28 - 1000) / 2);  // each tile with all its 26 neighbours
}

TEST(PairPlan, MeasuresOverlapsOfSlantedTilesAlongTheirFrames) {
  TileGrid grid({2, 1, 1}, 0);
  for (TileToAlign& tile : grid.tiles) tile.region = test::oblique_region({100, 100, 50}, 100, 1.0);
  EXPECT_NEAR(grid.pairs().at(0).overlap_voxels.x, 10, 1e-9);  // bounding boxes would overlap by more
  grid.tiles[1].nominal_um.x = 110;
  EXPECT_TRUE(grid.pairs().empty());
}

}  // namespace
}  // namespace spim
