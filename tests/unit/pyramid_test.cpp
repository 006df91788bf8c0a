#include "spim/host/pyramid.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "spim/error.hpp"
#include "spim/host/executor.hpp"
#include "support/memory_volume.hpp"

namespace {

using spim::Box;
using spim::Index3;
using spim::test::MemoryWriter;
using spim::test::Voxels;

struct Case {
  Index3 shape;
  Index3 chunk;
  int levels;
};

spim::VolumeSpec spec_of(const Case& c) {
  spim::VolumeSpec spec;
  spec.shape = c.shape;
  spec.chunk = c.chunk;
  spec.levels = c.levels;
  return spec;
}

Voxels noise_volume(Index3 shape) {
  Voxels v(shape);
  for (std::int64_t z = 0; z < shape.z; ++z)
    for (std::int64_t y = 0; y < shape.y; ++y)
      for (std::int64_t x = 0; x < shape.x; ++x) v.at(x, y, z) = spim::test::noise(x, y, z);
  return v;
}

/// Gives every chunk of `finest` in a shuffled order from `workers` threads.
void feed(spim::Pyramid& pyramid, const Voxels& finest, Index3 chunk, int workers) {
  const Index3 grid = spim::ceil_div(finest.size, chunk);
  std::vector<Index3> order;
  for (std::int64_t z = 0; z < grid.z; ++z)
    for (std::int64_t y = 0; y < grid.y; ++y)
      for (std::int64_t x = 0; x < grid.x; ++x) order.push_back({x, y, z});
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  const spim::CancelToken cancel;
  const spim::Executor executor(workers, cancel);
  executor.parallel_for(static_cast<std::int64_t>(order.size()), [&](std::int64_t n, int) {
    const Index3 i = order[static_cast<std::size_t>(n)];
    const Index3 begin{i.x * chunk.x, i.y * chunk.y, i.z * chunk.z};
    const Box box{begin, spim::min(begin + chunk, finest.size)};
    Voxels part(box.size());
    for (std::int64_t z = 0; z < part.size.z; ++z)
      for (std::int64_t y = 0; y < part.size.y; ++y)
        for (std::int64_t x = 0; x < part.size.x; ++x)
          part.at(x, y, z) = finest.at(begin.x + x, begin.y + y, begin.z + z);
    pyramid.add(i, spim::as_const(spim::dense_view(part.data.data(), part.size)));
  });
}

class PyramidOfSize : public testing::TestWithParam<Case> {};

TEST_P(PyramidOfSize, IsTheMeanOverExistingVoxelsWhateverTheOrderAndWorkers) {
  const Case c = GetParam();
  const Voxels finest = noise_volume(c.shape);
  const std::vector<Voxels> expected = spim::test::pyramid_oracle(finest, c.levels);
  for (const int workers : {1, 3}) {
    MemoryWriter writer(c.chunk);
    writer.begin(spec_of(c));
    spim::Pyramid pyramid(writer, spec_of(c));
    feed(pyramid, finest, c.chunk, workers);
    EXPECT_EQ(writer.chunks(), writer.expected_chunks());
    EXPECT_EQ(pyramid.chunks(), writer.expected_chunks());
    ASSERT_EQ(writer.levels().size(), expected.size());
    for (std::size_t l = 0; l < expected.size(); ++l)
      EXPECT_EQ(writer.levels()[l], expected[l]) << "level " << l;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, PyramidOfSize,
    testing::Values(Case{{1, 1, 1}, {64, 64, 64}, 4}, Case{{2, 3, 1}, {64, 64, 64}, 5},
                    Case{{3, 2, 3}, {2, 2, 2}, 4}, Case{{63, 64, 65}, {16, 16, 16}, 6},
                    Case{{129, 3, 65}, {64, 64, 64}, 4}, Case{{257, 5, 2}, {64, 64, 64}, 9},
                    Case{{129, 129, 3}, {64, 2, 2}, 5}, Case{{65, 65, 65}, {64, 32, 16}, 7},
                    Case{{20, 21, 22}, {5, 7, 3}, 5}, Case{{33, 17, 9}, {1, 1, 1}, 4},
                    Case{{40, 9, 9}, {5, 16, 16}, 4}, Case{{31, 31, 31}, {31, 31, 31}, 3},
                    Case{{64, 64, 64}, {8, 16, 32}, 1}));

TEST(Pyramid, HalvesAreRoundedUp) {
  const Case c{{2, 1, 1}, {4, 4, 4}, 2};
  MemoryWriter writer(c.chunk);
  writer.begin(spec_of(c));
  spim::Pyramid pyramid(writer, spec_of(c));
  const std::uint16_t voxels[] = {1, 2};
  pyramid.add({0, 0, 0}, spim::dense_view(voxels, {2, 1, 1}));
  EXPECT_EQ(writer.levels()[1].at(0, 0, 0), 2);
}

TEST(Pyramid, KeepsFullScaleValues) {
  const Case c{{65, 33, 17}, {16, 16, 16}, 6};
  Voxels finest(c.shape);
  std::fill(finest.data.begin(), finest.data.end(), std::uint16_t{65535});
  MemoryWriter writer(c.chunk);
  writer.begin(spec_of(c));
  spim::Pyramid pyramid(writer, spec_of(c));
  feed(pyramid, finest, c.chunk, 2);
  for (const Voxels& level : writer.levels())
    EXPECT_EQ(std::count(level.data.begin(), level.data.end(), 65535),
              static_cast<std::ptrdiff_t>(level.data.size()));
}

TEST(Pyramid, ZeroChunksCostNoMemoryAndGiveZeroParents) {
  const Case c{{64, 64, 64}, {8, 8, 8}, 4};
  MemoryWriter writer(c.chunk);
  writer.begin(spec_of(c));
  spim::Pyramid pyramid(writer, spec_of(c));
  feed(pyramid, Voxels(c.shape), c.chunk, 2);
  EXPECT_EQ(pyramid.peak_bytes(), 0);
  EXPECT_EQ(pyramid.zero_chunks(), writer.expected_chunks());
  EXPECT_EQ(writer.zero_chunks(), writer.expected_chunks());
}

TEST(Pyramid, OneBrightVoxelAmongZeroChunksIsKept) {
  for (const Index3 chunk : {Index3{8, 8, 8}, Index3{7, 7, 7}}) {
    const Case c{{64, 64, 64}, chunk, 4};
    for (const Index3 at : {Index3{0, 0, 0}, Index3{63, 63, 63}, Index3{13, 20, 49}}) {
      Voxels finest(c.shape);
      finest.at(at.x, at.y, at.z) = 60000;
      MemoryWriter writer(c.chunk);
      writer.begin(spec_of(c));
      spim::Pyramid pyramid(writer, spec_of(c));
      feed(pyramid, finest, c.chunk, 1);
      EXPECT_EQ(writer.levels(), spim::test::pyramid_oracle(finest, c.levels));
      EXPECT_EQ(writer.chunks(), writer.expected_chunks());
    }
  }
}

TEST(Pyramid, FreesAParentWhenItIsWritten) {
  // In the natural order only a few parents wait at a time.
  const Case c{{512, 4, 4}, {4, 4, 4}, 3};
  MemoryWriter writer(c.chunk);
  writer.begin(spec_of(c));
  spim::Pyramid pyramid(writer, spec_of(c));
  const std::vector<std::uint16_t> voxels(64, 9);
  for (std::int64_t x = 0; x < 128; ++x) pyramid.add({x, 0, 0}, spim::dense_view(voxels.data(), c.chunk));
  EXPECT_LE(pyramid.peak_bytes(), 3 * 2 * 64);
  EXPECT_EQ(writer.chunks(), writer.expected_chunks());
}

TEST(Pyramid, RefusesImpossibleSpecs) {
  MemoryWriter writer({4, 4, 4});
  EXPECT_THROW(spim::Pyramid(writer, spec_of({{0, 4, 4}, {4, 4, 4}, 1})), spim::Error);
  EXPECT_THROW(spim::Pyramid(writer, spec_of({{4, 4, 4}, {0, 4, 4}, 1})), spim::Error);
  EXPECT_THROW(spim::Pyramid(writer, spec_of({{4, 4, 4}, {4, 4, 4}, 0})), spim::Error);
  EXPECT_THROW(spim::Pyramid(writer, spec_of({{4, 4, 4}, {4, 4, 4}, 99})), spim::Error);
}

}  // namespace
