/// Frames as a volume, with and without preparation, in every orientation; files of planes.

#include "spim/host/frame_volume.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "spim/error.hpp"
#include "spim/host/plane_series.hpp"
#include "support/fake_frames.hpp"
#include "support/temporary_folder.hpp"

namespace {

using namespace spim;
using test::FakeFrames;
using testing::HasSubstr;

struct Camera {
  std::shared_ptr<FakeFrames> reader = std::make_shared<FakeFrames>(9, 150, 70);
  CancelToken cancel;
  Executor executor{2, cancel};
};

/// The sample of the raw frame that row y, column x of the oriented one shows.
std::uint16_t expected(const Orientation& how, std::int64_t frame, std::int64_t y, std::int64_t x) {
  std::int64_t rows = 150, columns = 70;
  if (how.rotate_90 % 2 != 0) std::swap(rows, columns);
  if (how.flip_ud) y = rows - 1 - y;
  switch (how.rotate_90) {
    case 1:
      return FakeFrames::sample(frame, x, 69 - y);
    case 2:
      return FakeFrames::sample(frame, 149 - y, 69 - x);
    case 3:
      return FakeFrames::sample(frame, 149 - x, y);
    default:
      return FakeFrames::sample(frame, y, x);
  }
}

TEST(FrameVolume, ShowsFramesAsTheyAreInEveryOrientation) {
  for (int turns = 0; turns < 4; ++turns)
    for (const bool flip : {false, true}) {
      Camera setup;
      const Orientation how{turns, flip};
      const auto volume = frame_volume(oriented_frames(setup.reader, how, {1, 8}), {1, 2, 3});
      const Index3 shape = volume->shape();
      ASSERT_EQ(shape, turns % 2 == 0 ? (Index3{70, 150, 7}) : (Index3{150, 70, 7}));
      for (const Box& box : {Box{{}, shape}, Box{{3, 5, 2}, {60, 69, 5}}, Box{{66, 0, 6}, {67, 70, 7}}}) {
        for (const bool prepared : {false, true}) {
          const Box boxes[] = {box};
          if (prepared) volume->prepare(boxes, setup.executor);
          std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(box.size())));
          const auto view = dense_view(voxels.data(), box.size());
          volume->read(box, view);
          std::int64_t wrong = 0;
          for (std::int64_t z = 0; z < box.size().z; ++z)
            for (std::int64_t y = 0; y < box.size().y; ++y)
              for (std::int64_t x = 0; x < box.size().x; ++x)
                wrong +=
                    view.row(y, z)[x] != expected(how, 1 + box.begin.z + z, box.begin.y + y, box.begin.x + x);
          EXPECT_EQ(wrong, 0) << turns << flip << prepared;
        }
      }
    }
}

TEST(FrameVolume, ReadsEachFrameOnceWhileItIsPrepared) {
  Camera setup;
  const auto volume = frame_volume(oriented_frames(setup.reader, {}, {}), {});
  const Box first[] = {{{0, 0, 0}, {20, 150, 4}}}, next[] = {{{20, 0, 0}, {40, 150, 4}}},
            later[] = {{{0, 0, 3}, {20, 150, 6}}};
  EXPECT_EQ(volume->memory_for(first), 4 * 150 * 70 * 2);
  volume->prepare(first, setup.executor);
  EXPECT_EQ(setup.reader->rows_read, 4 * 150);
  volume->prepare(next, setup.executor);  // another part of the same rows
  EXPECT_EQ(setup.reader->rows_read, 4 * 150);
  volume->prepare(later, setup.executor);
  EXPECT_EQ(setup.reader->rows_read, 6 * 150);
  std::vector<std::uint16_t> voxels(70);
  volume->read({{0, 9, 5}, {70, 10, 6}}, dense_view(voxels.data(), Index3{70, 1, 1}));
  EXPECT_EQ(setup.reader->rows_read, 6 * 150);
  EXPECT_EQ(voxels[69], FakeFrames::sample(5, 9, 69));
}

TEST(FrameVolume, ForgetsAStepThatFailed) {
  Camera setup;
  const auto volume = frame_volume(oriented_frames(setup.reader, {}, {}), {});
  const Box boxes[] = {{{0, 0, 0}, {70, 150, 9}}};
  setup.reader->broken_frame = 5;
  EXPECT_THROW(volume->prepare(boxes, setup.executor), std::exception);
  setup.reader->broken_frame = -1;
  volume->prepare(boxes, setup.executor);
  std::uint16_t voxel = 0;
  const Index3 one{1, 1, 1};
  volume->read({{2, 3, 5}, {3, 4, 6}}, dense_view(&voxel, one));
  EXPECT_EQ(voxel, FakeFrames::sample(5, 3, 2));
}

/// Writes the sum of the voxels as text; says `broken` for a plane that begins with a given sample.
class SumWriter final : public VolumeWriter {
 public:
  explicit SumWriter(std::filesystem::path path) : path_(std::move(path)) {}
  Index3 chunk_shape(const VolumeSpec& spec) const override { return {33, 64, spec.shape.z}; }
  void begin(const VolumeSpec& spec) override { frame_ = spec.first_frame; }
  void write(const ChunkAddress&, VolumeView<const std::uint16_t> voxels) override {
    if (!voxels.dense()) throw std::logic_error("a chunk is not dense");
    for (std::int64_t i = 0; i < count(voxels.size); ++i) sum_ += voxels.data[i];
  }
  void finish() override {
    if (frame_ == broken_frame) throw Error("broken");
    test::write_file(path_, std::to_string(sum_));
  }

  static inline std::atomic<std::int64_t> broken_frame{-1};

 private:
  std::filesystem::path path_;
  std::int64_t frame_ = -1;
  std::uint64_t sum_ = 0;
};

class Planes : public testing::Test {
 protected:
  PlaneSeriesSettings settings(TakenNames taken = TakenNames::refuse) {
    PlaneSeriesSettings result;
    result.count = 9;
    result.taken = taken;
    result.name = [this](std::int64_t plane) { return folder_ / ("out/" + std::to_string(plane)); };
    result.create_writer = [](const std::filesystem::path& path) {
      return std::make_unique<SumWriter>(path);
    };
    result.is_whole = [](std::int64_t, const std::filesystem::path& file) {
      return test::read_file(file) != "damaged";
    };
    return result;
  }
  void write(TakenNames taken = TakenNames::refuse, std::int64_t memory = 1 << 30) {
    const auto volume = frame_volume(oriented_frames(setup_.reader, {}, {}), {});
    const PlaneSeries series(settings(taken), setup_.executor);
    PlaneLabels labels;
    labels.first_frame = 100;
    NoProgress progress;
    write_planes(*volume, series, labels, {&setup_.executor, &progress, memory});
  }
  std::string sum(std::int64_t plane) const {
    std::uint64_t total = 0;
    for (std::int64_t y = 0; y < 150; ++y)
      for (std::int64_t x = 0; x < 70; ++x) total += FakeFrames::sample(plane, y, x);
    return std::to_string(total);
  }
  std::string stored(std::int64_t plane) const {
    return test::read_file(folder_ / ("out/" + std::to_string(plane)));
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_ / "out"), {}));
  }
  void TearDown() override { SumWriter::broken_frame = -1; }

  Camera setup_;
  test::TemporaryFolder folder_;
};

TEST_F(Planes, AreWrittenEachIntoItsFile) {
  write();
  for (std::int64_t plane = 0; plane < 9; ++plane) EXPECT_EQ(stored(plane), sum(plane));
  EXPECT_EQ(entries(), 9U);
  EXPECT_THROW(write(), Error);
  EXPECT_NO_THROW(write(TakenNames::replace));
}

TEST_F(Planes, ThatAreThereAndWholeStay) {
  test::write_file(folder_ / "out/3", "mine");
  test::write_file(folder_ / "out/4", "damaged");
  write(TakenNames::keep);
  EXPECT_EQ(stored(3), "mine");
  EXPECT_EQ(stored(4), sum(4));
  EXPECT_EQ(setup_.reader->rows_read, 8 * 150);
}

TEST_F(Planes, BeforeAFailureStayAndNothingUnfinishedIsLeft) {
  SumWriter::broken_frame = 108;
  EXPECT_THROW(write(), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out/8"));
  EXPECT_EQ(entries(), 8U);
  EXPECT_EQ(stored(0), sum(0));
}

TEST_F(Planes, NeedAsMuchMemoryAsOneOfThem) {
  try {
    write(TakenNames::refuse, 50'000);
    ADD_FAILURE() << "written";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--memory"));
  }
}

TEST_F(Planes, NeverHaveTheNameOfAnotherOrOfAnInput) {
  PlaneSeriesSettings same = settings();
  same.name = [this](std::int64_t plane) { return folder_ / (plane % 2 == 0 ? "a" : "./a"); };
  EXPECT_THROW(PlaneSeries(same, setup_.executor), Error);
  test::write_file(folder_ / "out/5", "input");
  for (const char* input : {"out/5", "out", "out/*"}) {
    PlaneSeriesSettings own = settings(TakenNames::replace);
    own.inputs = {folder_ / input};
    EXPECT_THROW(PlaneSeries(own, setup_.executor), Error) << input;
  }
  test::write_file(folder_ / "out/6/file", "x");
  EXPECT_THROW(PlaneSeries(settings(TakenNames::replace), setup_.executor), Error);
}

}  // namespace
