#include "spim/host/converted_volume.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "spim/error.hpp"
#include "support/memory_volume.hpp"

namespace {

using spim::Box;
using spim::Index3;
using spim::test::box_region;
using spim::test::MemoryReader;
using spim::test::noise;
using spim::test::read_all;
using spim::test::read_box;

class ConvertedVolume : public testing::Test {
 protected:
  static constexpr Index3 kShape{50, 21, 17};
  static constexpr Index3 kChunk{8, 6, 5};

  std::shared_ptr<MemoryReader> reader_ = std::make_shared<MemoryReader>(
      kShape, kChunk, [](std::int64_t x, std::int64_t y, std::int64_t z) { return noise(x, y, z); });
  spim::CancelToken cancel_;
  spim::Executor executor_{2, cancel_};
};

TEST_F(ConvertedVolume, ReadsTheSameVoxelsPreparedOrNot) {
  const auto volume = spim::converted_volume(reader_, 0, box_region(kShape), {1, 2, 3});
  EXPECT_EQ(volume->shape(), kShape);
  EXPECT_EQ(volume->voxel_um(), (spim::Vec3{1, 2, 3}));
  EXPECT_EQ(read_all(*volume), reader_->voxels());
  const std::vector<Box> boxes{{{3, 2, 1}, {30, 15, 12}}};
  volume->prepare(boxes, executor_);
  EXPECT_EQ(read_all(*volume), reader_->voxels());
}

TEST_F(ConvertedVolume, DecodesAChunkOnceWhileItIsNeeded) {
  const auto volume = spim::converted_volume(reader_, 0, box_region(kShape), {1, 1, 1});
  const auto boxes_at = [](std::int64_t x) {
    return std::vector<Box>{{{x, 0, 0}, {x + 12, 21, 10}}, {{x - 5, 0, 7}, {x + 7, 21, 17}}};
  };
  std::int64_t reads = 0;
  for (std::int64_t x = -12; x < 60; x += 4) {
    volume->prepare(boxes_at(x), executor_);
    reads = reader_->reads();
    for (const Box& b : boxes_at(x)) {
      const Box box = intersect(b, {{0, 0, 0}, kShape});
      if (!box.empty()) (void)read_box(*volume, box);
    }
    EXPECT_EQ(reader_->reads(), reads) << "everything was prepared";
  }
  EXPECT_EQ(reads, count(ceil_div(kShape, kChunk)));
  EXPECT_EQ(reader_->voxels_read(), count(kShape));
}

TEST_F(ConvertedVolume, MemoryForIsExactlyTheChunksThatAreDecoded) {
  const std::vector<std::vector<Box>> lists{
      {},
      {{{0, 0, 0}, {1, 1, 1}}},
      {{{-9, -9, -9}, {999, 999, 999}}},
      {{{7, 5, 4}, {9, 7, 6}}, {{9, 0, 0}, {17, 21, 4}}, {{0, 8, 3}, {50, 9, 14}}},
      {{{40, 18, 15}, {50, 21, 17}}, {{200, 0, 0}, {300, 1, 1}}}};
  for (const auto& boxes : lists) {
    const auto volume = spim::converted_volume(reader_, 0, box_region(kShape), {1, 1, 1});
    const std::int64_t before = reader_->voxels_read();
    const std::int64_t bytes = volume->memory_for(boxes);
    volume->prepare(boxes, executor_);
    EXPECT_EQ(bytes, 2 * (reader_->voxels_read() - before));
  }
}

TEST_F(ConvertedVolume, ChunksOutsideTheValidRegionAreNotRead) {
  const spim::ValidRegion region = spim::test::oblique_region({0, 21, 17}, 34, 1);
  ASSERT_EQ(region.shape, kShape);
  const auto volume = spim::converted_volume(reader_, 0, region, {1, 1, 1});
  const std::vector<Box> corner{{{0, 0, 10}, {8, 6, 17}}};
  EXPECT_EQ(volume->memory_for(corner), 0);
  volume->prepare(corner, executor_);
  EXPECT_EQ(reader_->reads(), 0);
}

TEST_F(ConvertedVolume, AnEmptyPrepareDropsEverything) {
  const auto volume = spim::converted_volume(reader_, 0, box_region(kShape), {1, 1, 1});
  const std::vector<Box> all{{{0, 0, 0}, kShape}};
  volume->prepare(all, executor_);
  const std::int64_t reads = reader_->reads();
  volume->prepare({}, executor_);
  (void)read_box(*volume, {{0, 0, 0}, {1, 1, 1}});
  EXPECT_EQ(reader_->reads(), reads + 1);
}

TEST_F(ConvertedVolume, AFailedPrepareLeavesNoHalfDecodedChunkBehind) {
  const auto volume = spim::converted_volume(reader_, 0, box_region(kShape), {1, 1, 1});
  reader_->fail_from_now_on();
  const std::vector<Box> all{{{0, 0, 0}, kShape}};
  EXPECT_THROW(volume->prepare(all, executor_), std::runtime_error);
  EXPECT_THROW(read_all(*volume), std::runtime_error);
}

TEST_F(ConvertedVolume, RefusesARegionOfAnotherShape) {
  EXPECT_THROW(spim::converted_volume(reader_, 0, box_region({9, 9, 9}), {1, 1, 1}), spim::Error);
}

}  // namespace
