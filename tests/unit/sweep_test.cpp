#include "spim/host/sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <stdexcept>

#include "spim/error.hpp"
#include "spim/host/converted_volume.hpp"
#include "spim/host/cropped_volume.hpp"
#include "spim/host/mosaic.hpp"
#include "spim/host/oblique_volume.hpp"
#include "support/fake_frames.hpp"
#include "support/memory_volume.hpp"

namespace {

using spim::Index3;
using spim::SweepSettings;
using spim::ValidRegion;
using spim::VolumeSpec;
using spim::test::box_region;
using spim::test::MemoryReader;
using spim::test::MemoryVolume;
using spim::test::MemoryWriter;
using spim::test::noise;
using spim::test::oblique_region;
using testing::HasSubstr;

constexpr std::int64_t kPlenty = std::int64_t{1} << 40;

std::uint16_t sparse_noise(std::int64_t x, std::int64_t y, std::int64_t z) {
  return x / 16 % 3 == 1 ? std::uint16_t{0} : noise(x, y, z);
}

VolumeSpec spec_of(const spim::VolumeSource& source, Index3 chunk, int levels) {
  VolumeSpec spec;
  spec.shape = source.shape();
  spec.chunk = chunk;
  spec.levels = levels;
  spec.voxel_um = source.voxel_um();
  return spec;
}

class CountingProgress final : public spim::Progress {
 public:
  void begin(std::string_view, std::int64_t t) override { total = t; }
  void advance(std::int64_t bytes) noexcept override { done += bytes; }
  void end() override { ended = true; }
  std::int64_t total = 0;
  std::atomic<std::int64_t> done{0};
  bool ended = false;
};

struct Case {
  ValidRegion region;
  Index3 chunk;
  int levels;
};

class SweepOf : public testing::TestWithParam<Case> {};

TEST_P(SweepOf, GivesEveryChunkOnceWhateverTheWorkersAndTheMemory) {
  const Case c = GetParam();
  const MemoryVolume reference(c.region, sparse_noise);
  const auto expected = spim::test::pyramid_oracle(reference.voxels(), c.levels);
  const spim::CancelToken cancel;
  std::int64_t most_lanes = 0;
  for (const int workers : {1, 2, 3}) {
    const spim::Executor executor(workers, cancel);
    const VolumeSpec spec = spec_of(reference, c.chunk, c.levels);
    const std::int64_t whole = plan_sweep(reference, spec, executor, {kPlenty}).memory_bytes;
    const std::int64_t floor_bytes = workers * (6 * count(min(c.chunk, spec.shape)) + (1 << 20));
    for (const double share : {1.0, 0.6, 0.3}) {
      const SweepSettings settings{
          floor_bytes + static_cast<std::int64_t>(share * static_cast<double>(whole - floor_bytes))};
      MemoryVolume source(c.region, sparse_noise);
      MemoryWriter writer(c.chunk);
      CountingProgress progress;
      spim::SweepPlan plan;
      try {
        plan = plan_sweep(source, spec, executor, settings);
      } catch (const spim::Error&) {
        EXPECT_LT(share, 1.0) << "what a plan says that it needs must do";
        continue;
      }
      const spim::SweepReport report = sweep(source, writer, spec, executor, settings, progress);
      EXPECT_TRUE(writer.finished());
      EXPECT_EQ(writer.levels(), expected);
      EXPECT_EQ(writer.chunks(), writer.expected_chunks());
      EXPECT_EQ(report.chunks_written, writer.expected_chunks());
      EXPECT_EQ(report.chunks_zero, writer.zero_chunks());
      EXPECT_EQ(report.voxels, count(spec.shape));
      EXPECT_EQ(plan.chunks, count(ceil_div(spec.shape, c.chunk)));
      EXPECT_LE(plan.memory_bytes, settings.memory_bytes);
      EXPECT_LE(source.most_prepared() + floor_bytes, plan.memory_bytes);
      EXPECT_EQ(source.unprepared_reads(), 0);
      EXPECT_EQ(source.prepared_now(), 0) << "everything is dropped at the end";
      EXPECT_EQ(progress.total, 2 * count(spec.shape));
      EXPECT_EQ(progress.done, progress.total);
      EXPECT_TRUE(progress.ended);
      most_lanes = std::max(most_lanes, plan.lanes);
    }
  }
  const Index3 grid = ceil_div(c.region.shape, c.chunk);
  EXPECT_TRUE(most_lanes > 1 || grid.y * grid.z <= 4) << "little memory must have led to lanes";
}

INSTANTIATE_TEST_SUITE_P(Volumes, SweepOf,
                         testing::Values(Case{box_region({40, 33, 21}), {8, 8, 8}, 3},
                                         Case{oblique_region({0, 40, 48}, 60, 1), {8, 8, 8}, 4},
                                         Case{oblique_region({0, 40, 48}, 60, 1, -1), {8, 8, 8}, 4},
                                         Case{oblique_region({0, 24, 50}, 35, 0.7), {16, 8, 8}, 3},
                                         Case{oblique_region({0, 24, 50}, 35, 1.37), {8, 8, 16}, 5},
                                         Case{oblique_region({0, 24, 50}, 35, 1.37, -1), {7, 9, 5}, 3},
                                         Case{oblique_region({0, 5, 7}, 9, 1), {64, 64, 64}, 3},
                                         Case{box_region({1, 1, 1}), {64, 64, 64}, 1},
                                         Case{box_region({3, 100, 2}), {4, 4, 4}, 2}));

TEST(Sweep, ReadsNothingWhereThereIsNoData) {
  MemoryVolume source(oblique_region({0, 8, 64}, 8, 1), [](auto...) { return std::uint16_t{5}; });
  MemoryWriter writer({8, 8, 8});
  const spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  spim::NoProgress progress;
  const auto report = sweep(source, writer, spec_of(source, {8, 8, 8}, 1), executor, {kPlenty}, progress);
  // A band of 8 frames crosses two chunks in x for each chunk in z; the other 56 of 72 lie outside.
  EXPECT_EQ(source.reads(), 16);
  EXPECT_EQ(report.chunks_zero, 72 - 16);
}

TEST(Sweep, DecodesEachChunkOnceIntoFlatChunksWhateverTheMemory) {
  const Index3 shape{45, 50, 37}, cell{16, 12, 10};
  const spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  spim::NoProgress progress;
  for (const Index3 begin : {Index3{0, 0, 0}, Index3{3, 5, 7}}) {
    const Index3 size = shape - begin;
    const Index3 chunk{size.x, begin.x == 0 ? 6 : 7, 1};
    std::int64_t most_lanes = 0, memory = kPlenty;
    for (;;) {
      const auto reader = std::make_shared<MemoryReader>(shape, cell, noise);
      const std::shared_ptr<spim::VolumeSource> whole =
          spim::converted_volume(reader, 0, box_region(shape), {1, 1, 1});
      const auto source = spim::cropped_volume(whole, {begin, shape});
      const VolumeSpec spec = spec_of(*source, chunk, 1);
      MemoryWriter writer(chunk);
      std::int64_t deepest = 0;
      writer.on_chunk = [&](const spim::ChunkAddress& c) {
        EXPECT_GT(c.index.z + cell.z, deepest) << "planes come slab by slab";
        deepest = std::max(deepest, c.index.z);
      };
      try {
        const spim::SweepPlan plan = plan_sweep(*source, spec, executor, {memory});
        most_lanes = plan.lanes;
        memory = plan.memory_bytes;
      } catch (const spim::Error&) {
        break;
      }
      sweep(*source, writer, spec, executor, {memory}, progress);
      EXPECT_EQ(writer.levels().front(), spim::test::read_all(*source));
      // read_all() above decodes everything once more, and was not prepared.
      EXPECT_EQ(reader->reads(), 2 * count(ceil_div(shape, cell))) << most_lanes << " lanes";
      --memory;
    }
    EXPECT_GT(most_lanes, 5) << "little memory must have led to bands";
  }
}

TEST(Sweep, WritesTheChannelsOfAVolumeOneAfterTheOther) {
  MemoryVolume first(box_region({20, 12, 9}), noise);
  MemoryVolume second(box_region({20, 12, 9}), [](auto x, auto y, auto z) { return noise(z, y, x); });
  spim::VolumeSource* const sources[] = {&first, &second};
  VolumeSpec spec = spec_of(first, {8, 8, 8}, 2);
  spec.channel_count = 2;
  std::map<std::int32_t, std::int64_t> chunks;
  MemoryWriter writer({8, 8, 8});
  writer.on_chunk = [&](const spim::ChunkAddress& c) { ++chunks[c.channel]; };
  const spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  spim::NoProgress progress;
  EXPECT_THROW(sweep(first, writer, spec, executor, {kPlenty}, progress), spim::Error);
  const auto report = sweep(sources, writer, spec, executor, {kPlenty}, progress);
  EXPECT_THAT(chunks, testing::ElementsAre(testing::Pair(0, 14), testing::Pair(1, 14)));
  EXPECT_EQ(report.chunks_written, 28);
  EXPECT_EQ(report.voxels, 2 * 20 * 12 * 9);
  EXPECT_EQ(writer.channel(1).front(), second.voxels());
  EXPECT_EQ(writer.channel(0).front(), first.voxels());
}

TEST(Sweep, KeepsAWindowOfFramesWhateverTheLength) {
  const spim::CancelToken cancel;
  const spim::Executor executor(1, cancel);
  std::int64_t needed[2] = {};
  for (const int longer : {0, 1}) {
    MemoryVolume source(oblique_region({0, 8, 64}, longer ? 800 : 200, 1), noise);
    needed[longer] = plan_sweep(source, spec_of(source, {8, 8, 8}, 3), executor, {kPlenty}).memory_bytes;
  }
  EXPECT_EQ(needed[0], needed[1]);
}

TEST(Sweep, CutsZBeforeY) {
  const spim::CancelToken cancel;
  const spim::Executor executor(1, cancel);
  MemoryVolume source(oblique_region({0, 64, 64}, 100, 1), noise);
  const VolumeSpec spec = spec_of(source, {8, 8, 8}, 1);
  const auto whole = plan_sweep(source, spec, executor, {kPlenty});
  EXPECT_EQ(whole.lanes, 1);
  const auto less = plan_sweep(source, spec, executor, {whole.memory_bytes - 1});
  EXPECT_EQ(less.lanes, 2);
}

TEST(Sweep, CountsWhatTheWriterKeeps) {
  const spim::CancelToken cancel;
  const spim::Executor executor(1, cancel);
  MemoryVolume source(oblique_region({0, 64, 64}, 100, 1), noise);
  const VolumeSpec spec = spec_of(source, {8, 8, 8}, 1);
  const auto alone = plan_sweep(source, spec, executor, {kPlenty});
  const auto shared = plan_sweep(source, spec, executor, {kPlenty, 1000});
  EXPECT_EQ(shared.memory_bytes, alone.memory_bytes + 1000);
  const auto less = plan_sweep(source, spec, executor, {alone.memory_bytes + 999, 1000});
  EXPECT_GT(less.lanes, alone.lanes) << "what the writer keeps is not there for frames";
  EXPECT_THROW(plan_sweep(source, spec, executor, {kPlenty, kPlenty}), spim::Error);
}

TEST(Sweep, SaysHowMuchMemoryItNeedsWhenThereIsTooLittle) {
  const spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  MemoryVolume source(oblique_region({0, 64, 64}, 100, 1), noise);
  try {
    (void)plan_sweep(source, spec_of(source, {64, 64, 64}, 2), executor, {1000});
    FAIL() << "1000 bytes cannot be enough";
  } catch (const spim::Error& e) {
    EXPECT_THAT(e.what(), testing::AllOf(HasSubstr("at least"), HasSubstr("MiB"), HasSubstr("--memory"),
                                         HasSubstr("--chunk-size")));
  }
}

/// What damaged metadata may claim.
class EndlessVolume final : public spim::VolumeSource {
 public:
  Index3 shape() const override { return {1, 1, std::int64_t{1} << 40}; }
  spim::Vec3 voxel_um() const override { return {1, 1, 1}; }
  spim::PixelType type() const override { return spim::PixelType::u16; }
  ValidRegion region() const override { return box_region(shape()); }
  std::int64_t memory_for(const spim::Box&, std::span<const spim::Box>) const override { return 0; }
  std::int64_t plan_loads(const spim::Box&, std::span<const spim::Box>) override { return 0; }
  void load(std::int64_t) override {}
  void read(const spim::Box&, spim::VolumeView<std::uint16_t>) const override {}
};

TEST(Sweep, RefusesAVolumeOfEndlessChunksBeforePlanning) {
  const EndlessVolume source;
  const spim::CancelToken cancel;
  const spim::Executor executor(1, cancel);
  EXPECT_THAT(
      [&] {
        plan_sweep(source, spec_of(source, {64, 64, 64}, 1), executor, {kPlenty});
      },
      testing::ThrowsMessage<spim::Error>(HasSubstr("too many to plan for")));
}

TEST(Sweep, PassesOnWhatTheWriterThrowsAndDoesNotFinish) {
  for (const int workers : {1, 3}) {
    MemoryVolume source(oblique_region({0, 40, 48}, 60, 1), noise);
    MemoryWriter writer({8, 8, 8});
    writer.fail_after(50);
    const spim::CancelToken cancel;
    const spim::Executor executor(workers, cancel);
    spim::NoProgress progress;
    try {
      sweep(source, writer, spec_of(source, {8, 8, 8}, 3), executor, {kPlenty}, progress);
      FAIL() << "the writer's error was lost";
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "disk full");
    }
    EXPECT_FALSE(writer.finished());
  }
}

TEST(Sweep, StopsSoonAfterACancelAndDoesNotFinish) {
  for (const int workers : {1, 2}) {
    MemoryVolume source(oblique_region({0, 40, 48}, 60, 1), noise);
    MemoryWriter writer({8, 8, 8});
    spim::CancelToken cancel;
    const spim::Executor executor(workers, cancel);
    std::int64_t after = 0;
    writer.on_chunk = [&](const spim::ChunkAddress&) {
      if (cancel.requested()) ++after;
      if (writer.chunks() == 30) cancel.request();
    };
    spim::NoProgress progress;
    EXPECT_THROW(sweep(source, writer, spec_of(source, {8, 8, 8}, 3), executor, {kPlenty}, progress),
                 spim::Cancelled);
    EXPECT_FALSE(writer.finished());
    EXPECT_LE(after, 6) << "each worker ends its chunk and the parents that it completes";
  }
}

TEST(Sweep, ACancelAtTheVeryEndStillCounts) {
  MemoryVolume source(box_region({8, 8, 8}), noise);
  MemoryWriter writer({8, 8, 8});
  spim::CancelToken cancel;
  const spim::Executor executor(1, cancel);
  writer.on_chunk = [&](const spim::ChunkAddress&) { cancel.request(); };
  spim::NoProgress progress;
  EXPECT_THROW(sweep(source, writer, spec_of(source, {8, 8, 8}, 1), executor, {kPlenty}, progress),
               spim::Cancelled);
  EXPECT_FALSE(writer.finished());
}

TEST(Sweep, RefusesASpecOfAnotherShape) {
  MemoryVolume source(box_region({8, 8, 8}), noise);
  VolumeSpec spec = spec_of(source, {4, 4, 4}, 1);
  spec.shape.x = 9;
  const spim::CancelToken cancel;
  const spim::Executor executor(1, cancel);
  EXPECT_THROW(plan_sweep(source, spec, executor, {kPlenty}), spim::Error);
}

TEST(Sweep, ReadsEveryCameraRowOnceWhateverTheShear) {
  const std::int64_t frames = 120, rows = 24, columns = 70;
  for (const int direction : {1, -1})
    for (const double step_um : {1.28, 1.27, 1.272792206, 1.0, 2.0})
      for (const bool in_lanes : {false, true}) {
        auto reader = std::make_shared<spim::test::FakeFrames>(frames, rows, columns);
        // Turned three times, a camera row holds one z.
        auto source =
            spim::oblique_volume(spim::oriented_frames(reader, {3, true}, {}), {1.8, step_um, 45, direction});
        const VolumeSpec spec = spec_of(*source, {8, 8, 8}, 3);
        ASSERT_EQ(spec.shape.z, rows);
        MemoryWriter writer({8, 8, 8});
        const spim::CancelToken cancel;
        const spim::Executor executor(1, cancel);
        spim::NoProgress progress;
        std::int64_t memory = kPlenty;
        if (in_lanes) memory = plan_sweep(*source, spec, executor, {kPlenty}).memory_bytes - 1;
        const auto plan = plan_sweep(*source, spec, executor, {memory});
        sweep(*source, writer, spec, executor, {memory}, progress);
        EXPECT_EQ(reader->rows_read, frames * rows) << step_um << " um, " << plan.lanes << " lanes";
        EXPECT_EQ(plan.lanes > 1, in_lanes);
      }
}

TEST(Sweep, ReadsAheadWhereMemoryAllowsAndEveryRowOfEveryTileOnce) {
  const std::int64_t frames = 60, rows = 33, columns = 30;
  std::vector<std::vector<spim::test::Voxels>> results;
  std::int64_t memory = kPlenty;
  for (const auto& [workers, ahead] : {std::pair{3, true}, {3, false}, {1, false}}) {
    std::vector<std::shared_ptr<spim::test::FakeFrames>> readers;
    std::vector<spim::PlacedTile> tiles;
    for (int i = 0; i < 4; ++i) {
      readers.push_back(std::make_shared<spim::test::FakeFrames>(frames, rows, columns));
      tiles.push_back(
          {spim::oblique_volume(spim::oriented_frames(readers.back(), {3, true}, {}), {1.8, 1.28, 45, 1}),
           {47.0 * (i % 2), 22.0 * (i / 2), 3.0 * (i % 2)},
           "tile"});
    }
    const auto source = spim::mosaic(std::move(tiles), {});
    const VolumeSpec spec = spec_of(*source, {16, 8, 8}, 3);
    const spim::CancelToken cancel;
    const spim::Executor executor(workers, cancel);
    const auto plan = plan_sweep(*source, spec, executor, {memory});
    EXPECT_EQ(plan.lanes, 1);
    EXPECT_EQ(plan.reads_ahead, ahead) << workers << " workers";
    MemoryWriter writer({16, 8, 8});
    spim::NoProgress progress;
    sweep(*source, writer, spec, executor, {memory}, progress);
    for (const auto& reader : readers) EXPECT_EQ(reader->rows_read, frames * rows);
    results.push_back(writer.levels());
    memory = plan.memory_bytes - 1;  // enough for everything but reading ahead
  }
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
}

TEST(Sweep, StitchesAMosaicAsItReads) {
  const ValidRegion region = oblique_region({0, 30, 33}, 50, 1.006);
  const auto tiles = [&] {
    std::vector<spim::PlacedTile> all;
    for (int i = 0; i < 4; ++i)
      all.push_back({std::make_shared<MemoryVolume>(region,
                                                    [i](auto x, auto y, auto z) {
                                                      return spim::test::seeded_noise(
                                                          x, y, z, static_cast<std::uint32_t>(i));
                                                    }),
                     {40.0 * (i % 2), 22.0 * (i / 2), 0},
                     "tile"});
    return all;
  };
  const auto whole = spim::test::read_all(*spim::mosaic(tiles(), {}));
  const auto expected = spim::test::pyramid_oracle(whole, 3);
  for (const int workers : {1, 2}) {
    auto source = spim::mosaic(tiles(), {});
    MemoryWriter writer({16, 8, 8});
    const spim::CancelToken cancel;
    const spim::Executor executor(workers, cancel);
    spim::NoProgress progress;
    sweep(*source, writer, spec_of(*source, {16, 8, 8}, 3), executor, {kPlenty}, progress);
    EXPECT_EQ(writer.levels(), expected);
  }
}

}  // namespace
