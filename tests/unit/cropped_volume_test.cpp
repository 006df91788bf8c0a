#include "spim/host/cropped_volume.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spim/error.hpp"
#include "spim/host/converted_volume.hpp"
#include "support/memory_volume.hpp"

namespace {

using spim::Box;
using spim::Index3;
using spim::test::box_region;
using spim::test::MemoryReader;
using spim::test::MemoryVolume;
using spim::test::noise;
using spim::test::oblique_region;
using spim::test::read_all;
using spim::test::read_box;

TEST(CroppedVolume, HasTheVoxelsOfItsBox) {
  const auto whole = std::make_shared<MemoryVolume>(box_region({30, 20, 10}), noise);
  const Box box{{3, 4, 5}, {29, 11, 9}};
  const auto part = spim::cropped_volume(whole, box);
  EXPECT_EQ(part->shape(), box.size());
  EXPECT_EQ(read_all(*part), read_box(*whole, box));
}

TEST(CroppedVolume, KnowsWhereDataOfAnObliqueScanAre) {
  for (const int direction : {1, -1}) {
    const auto whole = std::make_shared<MemoryVolume>(oblique_region({0, 12, 20}, 30, 1.3, direction), noise);
    const Box box{{17, 3, 6}, {41, 9, 19}};
    const auto part = spim::cropped_volume(whole, box);
    for (std::int64_t z = 0; z < 13; ++z)
      for (std::int64_t x = 0; x < 24; ++x)
        EXPECT_EQ(part->region().covers(x, 0, z), whole->region().covers(x + 17, 3, z + 6));
    EXPECT_EQ(read_all(*part), read_box(*whole, box));
  }
}

TEST(CroppedVolume, PreparesNothingOutsideItsBox) {
  const auto reader = std::make_shared<MemoryReader>(Index3{40, 40, 40}, Index3{8, 8, 8}, noise);
  const std::shared_ptr<spim::VolumeSource> whole =
      spim::converted_volume(reader, 0, box_region({40, 40, 40}), {1, 1, 1});
  const auto part = spim::cropped_volume(whole, {{8, 8, 8}, {16, 16, 16}});
  const spim::CancelToken cancel;
  const std::vector<Box> boxes{{{-5, -5, -5}, {100, 100, 100}}};
  EXPECT_EQ(part->memory_for(boxes), 2 * 8 * 8 * 8);
  part->prepare(boxes, spim::Executor(1, cancel));
  EXPECT_EQ(reader->reads(), 1);
}

TEST(CroppedVolume, SaysWhereTheCellsOfItsSourceBegin) {
  const auto reader = std::make_shared<MemoryReader>(Index3{40, 40, 40}, Index3{8, 10, 7}, noise);
  const std::shared_ptr<spim::VolumeSource> whole =
      spim::converted_volume(reader, 0, box_region({40, 40, 40}), {1, 1, 1});
  const std::shared_ptr<spim::VolumeSource> part = spim::cropped_volume(whole, {{3, 10, 15}, {40, 40, 40}});
  EXPECT_EQ(part->grain().size, (Index3{8, 10, 7}));
  EXPECT_EQ(part->grain().first, (Index3{5, 0, 6}));
  EXPECT_EQ(spim::cropped_volume(part, {{6, 0, 6}, {10, 10, 10}})->grain().first, (Index3{7, 0, 0}));
}

TEST(CroppedVolume, RefusesBoxesThatAreNotPartOfTheVolume) {
  const auto whole = std::make_shared<MemoryVolume>(box_region({30, 20, 10}), noise);
  for (const Box& box : {Box{{0, 0, 0}, {31, 20, 10}}, Box{{-1, 0, 0}, {5, 5, 5}}, Box{{5, 5, 5}, {5, 6, 6}}})
    EXPECT_THROW(spim::cropped_volume(whole, box), spim::Error);
}

}  // namespace
