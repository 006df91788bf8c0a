#include "spim/host/volume_planes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include "spim/error.hpp"
#include "spim/host/converted_volume.hpp"
#include "spim/host/cropped_volume.hpp"
#include "support/memory_volume.hpp"
#include "support/temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;

using spim::Box;
using spim::Index3;
using spim::test::box_region;
using spim::test::MemoryReader;
using spim::test::noise;
using testing::HasSubstr;

/// Writes its plane as raw samples in finish() and remembers in which order its chunks came.
class RawPlane final : public spim::VolumeWriter {
 public:
  RawPlane(fs::path path, Index3 chunk) : path_(std::move(path)), chunk_(chunk) {}

  Index3 chunk_shape(const spim::VolumeSpec& spec) const override {
    return {chunk_.x > 0 ? chunk_.x : spec.shape.x, chunk_.y > 0 ? chunk_.y : spec.shape.y, 1};
  }
  void begin(const spim::VolumeSpec& spec) override {
    spec_ = spec;
    samples_.resize(static_cast<std::size_t>(count(spec.shape)));
    spim::test::write_file(path_, "begun");
  }
  void write(const spim::ChunkAddress& chunk, spim::VolumeView<const std::uint16_t> voxels) override {
    const Index3 at = expect(chunk);
    for (std::int64_t y = 0; y < voxels.size.y; ++y)
      std::copy_n(voxels.row(y, 0), voxels.size.x, samples_.data() + (at.y + y) * spec_.shape.x + at.x);
  }
  void write_zero(const spim::ChunkAddress& chunk) override { expect(chunk); }
  void finish() override {
    const Index3 grid = ceil_div(spec_.shape, spec_.chunk);
    if (next_ != grid.x * grid.y) throw std::logic_error("not all chunks came");
    spim::test::write_file(path_,
                           std::string(reinterpret_cast<const char*>(samples_.data()), 2 * samples_.size()));
  }

 private:
  /// First voxel of `chunk`, which must be the next in order.
  Index3 expect(const spim::ChunkAddress& chunk) {
    const Index3 grid = ceil_div(spec_.shape, spec_.chunk);
    if (chunk.index.z != 0 || chunk.index.y * grid.x + chunk.index.x != next_++)
      throw std::logic_error("chunks of a plane came out of order");
    return {chunk.index.x * spec_.chunk.x, chunk.index.y * spec_.chunk.y, 0};
  }

  fs::path path_;
  Index3 chunk_;
  spim::VolumeSpec spec_;
  std::vector<std::uint16_t> samples_;
  std::int64_t next_ = 0;
};

class VolumePlanes : public testing::Test {
 protected:
  static constexpr Index3 kShape{53, 41, 29};
  static constexpr Index3 kCell{16, 8, 10};

  spim::PlaneSeriesSettings settings(std::int64_t count, Index3 chunk) {
    spim::PlaneSeriesSettings s;
    s.count = count;
    s.name = [this](std::int64_t plane) { return folder_.path() / ("p" + std::to_string(plane)); };
    s.create_writer = [chunk](const fs::path& path) { return std::make_unique<RawPlane>(path, chunk); };
    s.taken = spim::TakenNames::replace;
    return s;
  }
  spim::PlaneWork work(std::int64_t memory) { return {&executor_, &progress_, memory}; }

  void expect_planes(const spim::test::Voxels& voxels) {
    const auto bytes = static_cast<std::size_t>(2 * voxels.size.x * voxels.size.y);
    for (std::int64_t z = 0; z < voxels.size.z; ++z) {
      const std::string plane = spim::test::read_file(folder_.path() / ("p" + std::to_string(z)));
      ASSERT_EQ(plane.size(), bytes);
      EXPECT_EQ(plane, std::string(reinterpret_cast<const char*>(voxels.data.data()) +
                                       bytes * static_cast<std::size_t>(z),
                                   bytes))
          << "plane " << z;
    }
  }

  std::shared_ptr<MemoryReader> reader_ = std::make_shared<MemoryReader>(kShape, kCell, noise);
  std::shared_ptr<spim::VolumeSource> volume_ =
      spim::converted_volume(reader_, 0, box_region(kShape), {1, 1, 1});
  spim::test::TemporaryFolder folder_;
  spim::CancelToken cancel_;
  spim::Executor executor_{2, cancel_};
  spim::NoProgress progress_;
};

constexpr std::int64_t kPlenty = std::int64_t{1} << 40;

TEST_F(VolumePlanes, DecodesEveryChunkOnceEvenWhereASlabDoesNotFit) {
  const std::int64_t cells = count(ceil_div(kShape, kCell));
  for (const Index3 chunk : {Index3{0, 8, 1}, Index3{16, 16, 1}, Index3{7, 11, 1}}) {
    const spim::PlaneSeries series(settings(kShape.z, chunk), executor_);
    const spim::PlaneChunk rows = plane_chunk(*volume_, series, {});
    const std::int64_t most = plan_volume_planes(*volume_, rows, work(kPlenty)).memory_bytes;
    std::int64_t least_rows = kShape.y;
    for (std::int64_t memory = most; memory > 0; memory -= 2000) {
      spim::VolumePlanesPlan plan;
      try {
        plan = plan_volume_planes(*volume_, rows, work(memory));
      } catch (const spim::Error&) {
        break;
      }
      EXPECT_LE(plan.memory_bytes, memory);
      if (plan.decodings > 1 || plan.rows == least_rows) continue;
      least_rows = plan.rows;
      const std::int64_t before = reader_->reads(), voxels = reader_->voxels_read();
      (void)write_volume_planes(*volume_, series, {}, work(memory));
      EXPECT_EQ(reader_->reads() - before, cells) << plan.slab << " planes, " << plan.rows << " rows";
      EXPECT_EQ(reader_->voxels_read() - voxels, count(kShape));
      expect_planes(reader_->voxels());
    }
    EXPECT_LT(least_rows, 3 * kCell.y) << "little memory must have led to bands";
  }
}

TEST_F(VolumePlanes, AWriterOfWholePlanesGetsThinnerSlabsAndThePlanSaysSo) {
  const spim::PlaneSeries series(settings(kShape.z, {0, 0, 1}), executor_);
  const spim::PlaneChunk chunk = plane_chunk(*volume_, series, {});
  EXPECT_EQ(chunk.size, (Index3{kShape.x, kShape.y, 1}));
  const std::int64_t whole = plan_volume_planes(*volume_, chunk, work(kPlenty)).memory_bytes;
  EXPECT_EQ(plan_volume_planes(*volume_, chunk, work(kPlenty)).decodings, 1);
  const auto plan = plan_volume_planes(*volume_, chunk, work(whole - 4 * 2 * kShape.x * kShape.y));
  EXPECT_EQ(plan.rows, kShape.y);
  EXPECT_LT(plan.slab, kCell.z);
  EXPECT_EQ(plan.decodings, spim::ceil_div(kCell.z, plan.slab));
  (void)write_volume_planes(*volume_, series, {}, work(plan.memory_bytes));
  expect_planes(reader_->voxels());
}

TEST_F(VolumePlanes, PartsOfVolumesKeepToTheirCells) {
  const Box box{{5, 9, 7}, {50, 40, 28}};
  const std::shared_ptr<spim::VolumeSource> part = spim::cropped_volume(volume_, box);
  const spim::PlaneSeries series(settings(box.size().z, {0, 5, 1}), executor_);
  const spim::test::Voxels expected = spim::test::read_box(*volume_, box);
  for (const std::int64_t less : {0, 1}) {
    const auto plan = plan_volume_planes(*part, plane_chunk(*part, series, {}), work(kPlenty));
    const std::int64_t before = reader_->reads();
    (void)write_volume_planes(*part, series, {}, work(plan.memory_bytes - less * 2 * 45 * 12 * 10));
    // Cells at x 0…63 (4), y 8…47 (5 of 8), z 0…29 (3 of 10).
    EXPECT_EQ(reader_->reads() - before, 4 * 4 * 3);
    expect_planes(expected);
  }
}

TEST_F(VolumePlanes, OnlyPlanesThatAreMissingAreDecodedAgain) {
  auto keep = settings(kShape.z, {0, 8, 1});
  (void)write_volume_planes(*volume_, spim::PlaneSeries(keep, executor_), {}, work(kPlenty));
  fs::remove(folder_.path() / "p13");
  fs::remove(folder_.path() / "p14");
  keep.taken = spim::TakenNames::keep;
  keep.is_whole = [](std::int64_t, const fs::path& file) { return fs::file_size(file) > 5; };
  const std::int64_t voxels = reader_->voxels_read();
  const spim::PlaneSeries series(keep, executor_);
  EXPECT_EQ(series.wanted().size(), 2U);
  (void)write_volume_planes(*volume_, series, {}, work(kPlenty));
  EXPECT_EQ(reader_->voxels_read() - voxels, 2 * kShape.x * kShape.y);
  expect_planes(reader_->voxels());
}

TEST_F(VolumePlanes, AFailureLeavesOnlyWholeFiles) {
  reader_->fail_from_now_on();
  const spim::PlaneSeries series(settings(kShape.z, {0, 8, 1}), executor_);
  EXPECT_THROW(write_volume_planes(*volume_, series, {}, work(kPlenty)), std::runtime_error);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(VolumePlanes, TooLittleMemoryIsRefusedWithTheBytesThatAreNeeded) {
  try {
    (void)plan_volume_planes(*volume_, {{kShape.x, kShape.y, 1}, 0}, work(1000));
    FAIL();
  } catch (const spim::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("need at least"));
    EXPECT_THAT(error.what(), HasSubstr("--memory"));
  }
}

}  // namespace
