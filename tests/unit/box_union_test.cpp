#include "framework/src/box_union.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace {

using spim::Box;
using spim::detail::union_voxels;

std::int64_t by_counting(const std::vector<Box>& boxes) {
  std::int64_t n = 0;
  for (std::int64_t z = -10; z < 30; ++z)
    for (std::int64_t y = -10; y < 30; ++y)
      for (std::int64_t x = -10; x < 30; ++x)
        for (const Box& b : boxes)
          if (contains(b, {{x, y, z}, {x + 1, y + 1, z + 1}})) {
            ++n;
            break;
          }
  return n;
}

TEST(BoxUnion, OfNothingIsNothing) {
  EXPECT_EQ(union_voxels({}), 0);
  EXPECT_EQ(union_voxels({{{3, 3, 3}, {3, 9, 9}}, {{5, 5, 5}, {4, 9, 9}}}), 0);
}

TEST(BoxUnion, CountsEveryVoxelOnce) {
  std::mt19937 random(3);
  const auto number = [&](int from, int to) {
    return std::uniform_int_distribution<std::int64_t>(from, to)(random);
  };
  for (int round = 0; round < 60; ++round) {
    std::vector<Box> boxes;
    for (std::int64_t i = number(1, 9); i > 0; --i) {
      const spim::Index3 begin{number(-10, 20), number(-10, 20), number(-10, 20)};
      boxes.push_back({begin, begin + spim::Index3{number(0, 10), number(0, 10), number(0, 10)}});
    }
    EXPECT_EQ(union_voxels(boxes), by_counting(boxes)) << "round " << round;
  }
}

}  // namespace
