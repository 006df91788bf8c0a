#include "spim/host/oblique_volume.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include "spim/error.hpp"
#include "tests/support/fake_frames.hpp"

namespace {

using spim::Box;
using spim::Executor;
using spim::Index3;
using spim::ScanSettings;
using spim::VolumeSource;
using spim::test::FakeFrames;

constexpr spim::Orientation kMicroscope{3, true};

ScanSettings with_shear(double r, int direction = 1) {
  return {r * std::sqrt(2.0), 1.0, 45, direction};
}

/// Voxels in the order z, y, x.
using Voxels = std::vector<std::uint16_t>;

Voxels read(const VolumeSource& volume, const Box& box) {
  Voxels voxels(static_cast<std::size_t>(count(box.size())), 0xABCD);
  volume.read(box, dense_view(voxels.data(), box.size()));
  return voxels;
}

Box all_of(const VolumeSource& volume) {
  return {{}, volume.shape()};
}

/// The volume by the formula, voxel after voxel, in double precision.
class Oracle {
 public:
  Oracle(const FakeFrames& reader, const spim::ValidRegion& region) : reader_(reader), region_(region) {}

  double value(Index3 at) const {
    const double k = region_.frame_position(static_cast<double>(at.x), static_cast<double>(at.z));
    const double low = std::floor(k + 1e-7), weight = std::max(0.0, k - low);
    if (low < 0 || k > static_cast<double>(region_.frames) - 1 + 1e-7) return 0;
    const auto frame = static_cast<std::int64_t>(low);
    if (weight < 1e-7) return sample(frame, at);
    return sample(frame, at) * (1 - weight) + sample(frame + 1, at) * weight;
  }

  /// In the microscope's orientation frame[y, z] is raw[rows−1−z, columns−1−y].
  double sample(std::int64_t frame, Index3 at) const {
    return reader_.expected(frame, reader_.info().rows - 1 - at.z, reader_.info().columns - 1 - at.y);
  }

 private:
  const FakeFrames& reader_;
  spim::ValidRegion region_;
};

struct Scan {
  std::shared_ptr<FakeFrames> reader;
  std::unique_ptr<VolumeSource> volume;
};

/// A scan whose volume has `rows` in y and `columns` in z.
Scan make_scan(const ScanSettings& settings, spim::StackShape shape) {
  auto reader = std::make_shared<FakeFrames>(shape.frames, shape.columns, shape.rows);
  auto volume = oblique_volume(oriented_frames(reader, kMicroscope, {}), settings);
  return {reader, std::move(volume)};
}

TEST(ObliqueVolume, IsACopyBitForBitWhenTheShearIsOne) {
  for (const int direction : {1, -1}) {
    const Scan scan = make_scan(with_shear(1, direction), {70, 75, 67});
    const Index3 shape = scan.volume->shape();
    ASSERT_EQ(shape, (Index3{136, 75, 67}));
    const Voxels voxels = read(*scan.volume, all_of(*scan.volume));
    std::size_t i = 0;
    for (std::int64_t z = 0; z < shape.z; ++z)
      for (std::int64_t y = 0; y < shape.y; ++y)
        for (std::int64_t x = 0; x < shape.x; ++x, ++i) {
          const std::int64_t k = direction > 0 ? x - z : 69 - x + z;
          const std::uint16_t expected = k < 0 || k > 69 ? 0 : scan.reader->expected(k, 66 - z, 74 - y);
          ASSERT_EQ(voxels[i], expected) << direction << ": " << x << ' ' << y << ' ' << z;
        }
  }
}

TEST(ObliqueVolume, InterpolatesAsTheFormulaInDoublePrecision) {
  for (const double r : {0.7, 0.994, 1.006, 1.27, 2.0, 2.3})
    for (const int direction : {1, -1}) {
      const Scan scan = make_scan(with_shear(r, direction), {83, 37, 141});
      const Oracle oracle(*scan.reader, scan.volume->region());
      const Index3 shape = scan.volume->shape();
      const Voxels voxels = read(*scan.volume, all_of(*scan.volume));
      std::size_t i = 0;
      for (std::int64_t z = 0; z < shape.z; ++z)
        for (std::int64_t y = 0; y < shape.y; ++y)
          for (std::int64_t x = 0; x < shape.x; ++x, ++i) {
            // float32 holds a grey level and its product with the weight to 0.01: only ties may fall
            // otherwise.
            ASSERT_NEAR(voxels[i], oracle.value({x, y, z}), 0.51)
                << r << ' ' << direction << ": " << x << ' ' << y << ' ' << z;
          }
    }
}

TEST(ObliqueVolume, HasNoDarkHaloAtItsFaces) {
  // All samples are alike: every valid voxel has that value, every other is zero.
  class Flat final : public spim::FrameReader {
    spim::StackInfo info() const override { return {23, 23, 40, 9, spim::PixelType::u16}; }
    void read(std::int64_t, std::int64_t, spim::ImageView<std::uint16_t> out) override {
      for (std::int64_t i = 0; i < out.rows; ++i) std::fill_n(out.row(i), out.columns, std::uint16_t{50000});
    }
  };
  for (const double r : {0.05, 0.7, 1.0, 1.006, 1.27, 2.3})
    for (const int direction : {1, -1}) {
      const auto volume = oblique_volume(oriented_frames(std::make_shared<Flat>(), kMicroscope, {}),
                                         with_shear(r, direction));
      const Index3 shape = volume->shape();
      const Voxels voxels = read(*volume, all_of(*volume));
      std::size_t i = 0;
      for (std::int64_t z = 0; z < shape.z; ++z)
        for (std::int64_t y = 0; y < shape.y; ++y)
          for (std::int64_t x = 0; x < shape.x; ++x, ++i)
            ASSERT_EQ(voxels[i], volume->region().covers(x, y, z) ? 50000 : 0) << r << ' ' << x << ' ' << z;
    }
}

TEST(ObliqueVolume, HoldsStacksOfOneFrameOneRowOrOneColumn) {
  for (const spim::StackShape shape : {spim::StackShape{1, 5, 7}, {9, 1, 7}, {9, 5, 1}, {1, 1, 1}})
    for (const double r : {0.7, 1.0, 2.3}) {
      const Scan scan = make_scan(with_shear(r), shape);
      const Oracle oracle(*scan.reader, scan.volume->region());
      const Index3 size = scan.volume->shape();
      const Voxels voxels = read(*scan.volume, all_of(*scan.volume));
      std::size_t i = 0;
      for (std::int64_t z = 0; z < size.z; ++z)
        for (std::int64_t y = 0; y < size.y; ++y)
          for (std::int64_t x = 0; x < size.x; ++x, ++i)
            ASSERT_NEAR(voxels[i], oracle.value({x, y, z}), 0.51);
    }
}

TEST(ObliqueVolume, FollowsTheTilt) {
  for (const double tilt : {30.0, 60.0}) {
    const Scan scan = make_scan({1.1, 0.9, tilt, 1}, {31, 6, 44});
    const double r = 1.1 * std::cos(tilt * M_PI / 180) / 0.9;
    EXPECT_NEAR(scan.volume->region().shear, r, 1e-15);
    EXPECT_EQ(scan.volume->shape().x, 31 + static_cast<std::int64_t>(std::ceil(r * 43)));
    const Oracle oracle(*scan.reader, scan.volume->region());
    const Box box{{20, 1, 15}, {33, 5, 40}};
    const Voxels voxels = read(*scan.volume, box);
    std::size_t i = 0;
    for (std::int64_t z = box.begin.z; z < box.end.z; ++z)
      for (std::int64_t y = box.begin.y; y < box.end.y; ++y)
        for (std::int64_t x = box.begin.x; x < box.end.x; ++x, ++i)
          ASSERT_NEAR(voxels[i], oracle.value({x, y, z}), 0.51);
  }
}

/// The chunks of a volume in steps of the wavefront w = x − r·z, which is what a sweep asks for.
std::vector<std::vector<Box>> wavefront(const VolumeSource& volume, Index3 chunk) {
  const Index3 shape = volume.shape(), grid = ceil_div(shape, chunk);
  const double r = volume.region().shear;
  std::vector<std::vector<Box>> steps;
  const auto first =
      static_cast<std::int64_t>(std::floor(-r * static_cast<double>(shape.z) / static_cast<double>(chunk.x)));
  for (std::int64_t n = first - 1; n <= grid.x; ++n) {
    std::vector<Box> step;
    for (std::int64_t cz = 0; cz < grid.z; ++cz) {
      const double shift = r * static_cast<double>(cz * chunk.z) / static_cast<double>(chunk.x);
      const std::int64_t cx = n + static_cast<std::int64_t>(std::ceil(shift));
      if (cx < 0 || cx >= grid.x) continue;
      for (std::int64_t cy = 0; cy < grid.y; ++cy) {
        const Index3 begin{cx * chunk.x, cy * chunk.y, cz * chunk.z};
        step.push_back({begin, min(begin + chunk, shape)});
      }
    }
    if (!step.empty()) steps.push_back(step);
  }
  return steps;
}

std::int64_t chunks_of(const VolumeSource& volume, Index3 chunk) {
  return count(ceil_div(volume.shape(), chunk));
}

TEST(ObliqueVolume, ASweepSeesTheSameVoxelsAsDirectReadsAndReadsEachRowOnce) {
  for (const double r : {0.7, 1.0, 1.006, 1.27})
    for (const int direction : {1, -1})
      for (const int workers : {1, 3}) {
        const spim::StackShape shape{90, 70, 61};
        const Scan swept = make_scan(with_shear(r, direction), shape);
        const Scan direct = make_scan(with_shear(r, direction), shape);
        const spim::CancelToken cancel;
        const Executor executor(workers, cancel);
        const Index3 chunk{16, 16, 16};
        const auto steps = wavefront(*swept.volume, chunk);
        std::int64_t seen = 0;
        for (const auto& step : steps) {
          swept.volume->prepare(all_of(*swept.volume), step, executor);
          const std::int64_t before = swept.reader->rows_read;
          for (const Box& box : step) {
            ASSERT_EQ(read(*swept.volume, box), read(*direct.volume, box)) << r << ' ' << direction;
            ++seen;
          }
          EXPECT_EQ(swept.reader->rows_read, before) << "a prepared box was read again";
        }
        EXPECT_EQ(seen, chunks_of(*swept.volume, chunk));
        EXPECT_EQ(swept.reader->rows_read, 90 * 61) << r;
      }
}

TEST(ObliqueVolume, MemoryForIsWhatTheWindowOfFramesTakes) {
  const Scan scan = make_scan(with_shear(1), {200, 100, 100});
  const Box box{{100, 0, 0}, {164, 100, 64}};
  // Frames 37 to 163 of 64 rows of 128 samples (100, in whole blocks of 64), and 128 bytes beside each.
  EXPECT_EQ(scan.volume->memory_for({{box}}), (164 - 37) * (64 * 128 * 2 + 128));
  EXPECT_EQ(scan.volume->memory_for({}), 0);
  const Box outside{{0, 0, 64}, {10, 100, 100}};
  EXPECT_EQ(scan.volume->memory_for({{outside}}), 0);
  const std::vector<Box> both{box, outside};
  EXPECT_EQ(scan.volume->memory_for(box, both), scan.volume->memory_for({{box}}));
  // The same frames, but of each what a deeper lane needs.
  const Box deep{{0, 0, 0}, {300, 100, 100}};
  EXPECT_EQ(scan.volume->memory_for(deep, {{box}}), (164 - 37) * (7 * 4096 + 128));
  const Box reaching{{100, -50, -20}, {164, 1000, 64}};
  EXPECT_EQ(scan.volume->memory_for({{reaching}}), scan.volume->memory_for({{box}}));
}

TEST(ObliqueVolume, LoadsOfEachFrameWhatTheWholeLaneNeedsAndOnlyFramesThatAreNew) {
  const Scan scan = make_scan(with_shear(1), {60, 200, 40});
  const Scan direct = make_scan(with_shear(1), {60, 200, 40});
  const spim::CancelToken cancel;
  const Executor executor(2, cancel);
  const auto prepare = [&](const Box& lane, const Box& box) {
    const std::int64_t before = scan.reader->rows_read;
    scan.volume->prepare(lane, {{box}}, executor);
    const std::int64_t read_rows = scan.reader->rows_read - before;
    EXPECT_EQ(read(*scan.volume, box), read(*direct.volume, box));
    EXPECT_EQ(scan.reader->rows_read - before, read_rows);
    return read_rows;
  };
  const Box lane{{0, 0, 10}, {100, 200, 25}}, below{{0, 0, 25}, {100, 192, 40}};
  EXPECT_EQ(prepare(lane, {{30, 0, 10}, {40, 200, 20}}), 19 * 15);  // frames 11 to 29 of all the lane's z
  EXPECT_EQ(prepare(lane, {{30, 0, 10}, {40, 200, 20}}), 0);
  EXPECT_EQ(prepare(lane, {{30, 0, 10}, {40, 200, 25}}), 5 * 15);    // frames 6 to 10; all of z was there
  EXPECT_EQ(prepare(lane, {{30, 70, 10}, {40, 150, 20}}), 0);        // less: nothing to read
  EXPECT_EQ(prepare(lane, {{30, 64, 10}, {45, 192, 20}}), 5 * 15);   // frames 30 to 34
  EXPECT_EQ(prepare(below, {{30, 0, 25}, {40, 192, 35}}), 15 * 15);  // another lane: frames 0 to 14
  scan.volume->prepare({}, executor);
  EXPECT_EQ(prepare(lane, {{30, 0, 10}, {40, 200, 20}}), 19 * 15);
}

TEST(ObliqueVolume, IsReadWhileWhatComesNextIsLoaded) {
  const Scan scan = make_scan(with_shear(0.994), {90, 70, 61});
  const Scan direct = make_scan(with_shear(0.994), {90, 70, 61});
  const spim::CancelToken cancel;
  const Executor executor(3, cancel);
  const auto steps = wavefront(*scan.volume, {16, 16, 16});
  const Box lane = all_of(*scan.volume);
  scan.volume->prepare(lane, steps.front(), executor);
  for (std::size_t s = 0; s + 1 < steps.size(); ++s) {
    std::vector<Box> both = steps[s];
    both.insert(both.end(), steps[s + 1].begin(), steps[s + 1].end());
    const std::int64_t loads = scan.volume->plan_loads(lane, both);
    const auto boxes = static_cast<std::int64_t>(steps[s].size());
    std::vector<Voxels> seen(steps[s].size());
    executor.parallel_for(boxes + loads, [&](std::int64_t i, int) {
      if (i < loads)
        scan.volume->load(i);
      else
        seen[static_cast<std::size_t>(i - loads)] =
            read(*scan.volume, steps[s][static_cast<std::size_t>(i - loads)]);
    });
    for (std::size_t i = 0; i < seen.size(); ++i)
      ASSERT_EQ(seen[i], read(*direct.volume, steps[s][i])) << s << ' ' << i;
  }
  EXPECT_EQ(scan.reader->rows_read, 90 * 61);
}

TEST(ObliqueVolume, ReadsWhatWasNotPreparedAndUsesWhatWas) {
  const Scan scan = make_scan(with_shear(1.27), {60, 100, 40});
  const Scan direct = make_scan(with_shear(1.27), {60, 100, 40});
  const spim::CancelToken cancel;
  const Executor executor(2, cancel);
  scan.volume->prepare({{{{20, 0, 0}, {36, 100, 16}}}}, executor);
  const std::int64_t before = scan.reader->rows_read;
  const Box box{{30, 3, 2}, {46, 97, 14}};  // frames 13 to 43, of which 0 to 35 are there
  EXPECT_EQ(read(*scan.volume, box), read(*direct.volume, box));
  EXPECT_EQ(scan.reader->rows_read - before, (43 - 36 + 1) * 12);
}

TEST(ObliqueVolume, IsReadByManyThreadsAtOnce) {
  const Scan scan = make_scan(with_shear(0.994), {80, 70, 130});
  const Voxels expected = read(*scan.volume, all_of(*scan.volume));
  const spim::CancelToken cancel;
  const Executor executor(4, cancel);
  const Index3 shape = scan.volume->shape();
  scan.volume->prepare({{{{0, 0, 0}, {100, 70, 64}}}}, executor);
  Voxels voxels(expected.size());
  const auto view = dense_view(voxels.data(), shape);
  executor.parallel_for(spim::ceil_div(shape.x, 16), [&](std::int64_t i, int) {
    const Box box{{16 * i, 0, 0}, {std::min(16 * i + 16, shape.x), shape.y, shape.z}};
    scan.volume->read(box, {view.data + box.begin.x, box.size(), view.stride_y, view.stride_z});
  });
  EXPECT_EQ(voxels, expected);
}

TEST(ObliqueVolume, AReaderThatThrowsIsHeardOnceAndLeavesNothingBehind) {
  const Scan scan = make_scan(with_shear(1), {60, 40, 40});
  const spim::CancelToken cancel;
  const Executor executor(3, cancel);
  const Box good{{20, 0, 0}, {30, 40, 10}}, bad{{30, 0, 0}, {40, 40, 10}};
  scan.volume->prepare({{good}}, executor);
  scan.reader->broken_frame = 33;
  try {
    scan.volume->prepare({{bad}}, executor);
    FAIL() << "the broken frame was not noticed";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "frame 33 is unreadable");
  }
  EXPECT_THROW(read(*scan.volume, bad), std::runtime_error);
  scan.reader->broken_frame = -1;
  scan.volume->prepare({{bad}}, executor);
  const Scan direct = make_scan(with_shear(1), {60, 40, 40});
  EXPECT_EQ(read(*scan.volume, bad), read(*direct.volume, bad));
}

TEST(ObliqueVolume, StopsLoadingWhenCancelled) {
  const Scan scan = make_scan(with_shear(1), {60, 40, 40});
  spim::CancelToken cancel;
  const Executor executor(2, cancel);
  cancel.request();
  EXPECT_THROW(scan.volume->prepare({{{{20, 0, 0}, {30, 40, 10}}}}, executor), spim::Cancelled);
}

TEST(ObliqueVolume, SaysWhatItIs) {
  const Scan scan = make_scan({1.8, 1.28, 45, 1}, {60, 40, 50});
  EXPECT_EQ(scan.volume->type(), spim::PixelType::u16);
  EXPECT_DOUBLE_EQ(scan.volume->voxel_um().x, 1.28);
  EXPECT_EQ(scan.volume->region().frames, 60);
  EXPECT_EQ(scan.volume->region().shape, scan.volume->shape());
}

}  // namespace
