#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "spim/error.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/frame_source.hpp"
#include "spim/host/mosaic.hpp"
#include "spim/host/oblique_volume.hpp"
#include "spim/host/sweep.hpp"
#include "tests/support/fake_frames.hpp"
#include "tests/support/memory_volume.hpp"

namespace {

using spim::BlockedView;
using spim::ClipTally;
using spim::FlatField;
using spim::FrameCorrections;
using spim::FrameCorrector;
using spim::ImageView;
using spim::test::FakeFrames;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Rows by columns of grey levels.
struct Image {
  std::int64_t rows, columns;
  std::vector<float> samples;

  Image(std::int64_t r, std::int64_t c, float value = 0)
      : rows(r), columns(c), samples(static_cast<std::size_t>(r * c), value) {}
  float& at(std::int64_t y, std::int64_t x) { return samples[static_cast<std::size_t>(y * columns + x)]; }
  ImageView<float> view() { return {samples.data(), rows, columns, columns}; }
};

/// Adds a ramp that tells rows from columns, and counts its frames. Leaves the range of uint16 on both sides.
class Ramp final : public spim::Destriper {
 public:
  static float add(std::int64_t row, std::int64_t column) {
    return static_cast<float>(row) * 250.25F - static_cast<float>(column) * 2000.5F;
  }
  void apply(ImageView<float> frame) override {
    ++frames;
    for (std::int64_t i = 0; i < frame.rows; ++i)
      for (std::int64_t j = 0; j < frame.columns; ++j) frame.row(i)[j] += add(i, j);
  }
  std::atomic<int> frames{0};
};

std::shared_ptr<FlatField> uneven_flat(std::int64_t rows, std::int64_t columns) {
  std::vector<float> samples;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) samples.push_back(static_cast<float>(300 - 3 * i - j));
  return std::make_shared<FlatField>(std::move(samples), rows, columns, "flat.tif");
}

/// The frames that correction should give, in double precision: 90° three times and flipped is out(i, j) =
/// raw(N−1−j, M−1−i).
struct Oracle {
  const FakeFrames& reader;
  float dark;

  double exact(std::int64_t frame, std::int64_t y, std::int64_t x) const {
    const spim::StackInfo info = reader.info();
    const double raw = reader.expected(frame, info.rows - 1 - x, info.columns - 1 - y);
    const double flat = static_cast<double>(300 - 3 * y - x) / 300;
    return (raw - dark + Ramp::add(y, x)) / flat;
  }
};

std::vector<std::uint16_t> load_all(spim::FrameSource& source, std::int64_t frame) {
  const spim::StackShape shape = source.shape();
  const std::int64_t stride = shape.columns * BlockedView::kRows;
  std::vector<std::uint16_t> blocks(
      static_cast<std::size_t>(spim::ceil_div(shape.rows, BlockedView::kRows) * stride));
  const BlockedView view{blocks.data(), shape.columns, shape.rows, stride};
  source.load(frame, {}, view);
  std::vector<std::uint16_t> samples;
  for (std::int64_t y = 0; y < shape.rows; ++y)
    for (std::int64_t z = 0; z < shape.columns; ++z) samples.push_back(view.at(z, y));
  return samples;
}

/// Remembers the first frame that it is given, and multiplies it.
class Doubler final : public spim::Destriper {
 public:
  void apply(ImageView<float> frame) override {
    if (seen.empty()) seen.assign(frame.row(0), frame.row(0) + frame.columns);
    for (std::int64_t i = 0; i < frame.rows; ++i)
      for (std::int64_t j = 0; j < frame.columns; ++j) frame.row(i)[j] *= 2;
  }
  std::vector<float> seen;
};

TEST(CorrectedFrames, SubtractDarkThenDestripeThenDivideByTheFlat) {
  const auto doubler = std::make_shared<Doubler>();
  FrameCorrector corrector(
      {{}, 100, std::make_shared<FlatField>(std::vector<float>{1, 2, 4}, 1, 3, "f"), doubler}, 1, 3);
  Image image(1, 3);
  image.samples = {90, 300, 1100};
  corrector.apply(image.view());
  EXPECT_THAT(doubler->seen, testing::ElementsAre(-10, 200, 1000));
  EXPECT_THAT(image.samples, testing::ElementsAre(-80, 800, 2000));
}

TEST(CorrectedFrames, TakeEachStepOnceAndRoundOnce) {
  const auto reader = std::make_shared<FakeFrames>(3, 37, 53);  // oriented: 53 rows, 37 columns
  const auto ramp = std::make_shared<Ramp>();
  const auto tally = std::make_shared<ClipTally>();
  const FrameCorrections what{{}, 101.5F, uneven_flat(53, 37), ramp};
  const auto source = spim::corrected_frames(spim::oriented_frames(reader, {3, true}, {}),
                                             std::make_shared<FrameCorrector>(what, 53, 37), tally);
  ASSERT_EQ(source->shape().rows, 53);
  const std::vector<std::uint16_t> got = load_all(*source, 1);
  const Oracle oracle{*reader, 101.5F};
  std::int64_t below = 0, above = 0;
  for (std::int64_t y = 0; y < 53; ++y)
    for (std::int64_t x = 0; x < 37; ++x) {
      const double wanted = oracle.exact(1, y, x);
      below += wanted < -0.5;
      above += wanted >= 65535.5;
      const double value = got[static_cast<std::size_t>(y * 37 + x)];
      // Float32 holds grey levels of this size to a hundredth.
      ASSERT_NEAR(value, std::clamp(wanted, 0.0, 65535.0), 0.51) << y << " " << x;
    }
  ASSERT_TRUE(below > 0 && above > 0);
  EXPECT_EQ(ramp->frames, 1);
  EXPECT_EQ(tally->clipped().below, below);
  EXPECT_EQ(tally->clipped().above, above);
  EXPECT_EQ(tally->samples(), 53 * 37);
}

TEST(CorrectedFrames, CountWhatIsClippedOncePerFrameHoweverOftenItIsLoaded) {
  const auto reader = std::make_shared<FakeFrames>(2, 20, 30);
  const auto tally = std::make_shared<ClipTally>();
  FrameCorrections what;
  what.dark = 30000;
  const auto source = spim::corrected_frames(spim::oriented_frames(reader, {}, {}),
                                             std::make_shared<FrameCorrector>(what, 20, 30), tally);
  std::int64_t below = 0;
  for (std::int64_t f = 0; f < 2; ++f)
    for (std::int64_t y = 0; y < 20; ++y)
      for (std::int64_t x = 0; x < 30; ++x) below += reader->expected(f, y, x) < 30000;
  for (int times = 0; times < 3; ++times)
    for (std::int64_t f = 0; f < 2; ++f) load_all(*source, f);
  EXPECT_EQ(tally->clipped().below, below);
  EXPECT_EQ(tally->clipped().above, 0);
  EXPECT_EQ(tally->samples(), 2 * 20 * 30);
}

TEST(CorrectedFrames, GiveTheSamePartsWhateverIsAskedFor) {
  const auto reader = std::make_shared<FakeFrames>(1, 150, 140);
  const FrameCorrections what{{}, 10, nullptr, std::make_shared<Ramp>()};
  const auto source = spim::corrected_frames(spim::oriented_frames(reader, {3, true}, {}),
                                             std::make_shared<FrameCorrector>(what, 140, 150), nullptr);
  const std::vector<std::uint16_t> all = load_all(*source, 0);
  struct Part {
    std::int64_t z, y, z_count, y_count;
  };
  for (const Part p : {Part{0, 0, 150, 64}, {7, 64, 100, 76}, {149, 139, 1, 1}, {3, 5, 40, 130}}) {
    const std::int64_t stride = p.z_count * BlockedView::kRows;
    std::vector<std::uint16_t> blocks(
        static_cast<std::size_t>(spim::ceil_div(p.y_count, BlockedView::kRows) * stride));
    const BlockedView view{blocks.data(), p.z_count, p.y_count, stride};
    source->load(0, {p.z, p.y}, view);
    for (std::int64_t y = 0; y < p.y_count; ++y)
      for (std::int64_t z = 0; z < p.z_count; ++z)
        ASSERT_EQ(view.at(z, y), all[static_cast<std::size_t>((p.y + y) * 150 + p.z + z)]) << y << " " << z;
  }
}

TEST(CorrectedFrames, AreTheFramesThemselvesWhenThereIsNothingToDo) {
  auto frames = spim::oriented_frames(std::make_shared<FakeFrames>(1, 4, 4), {}, {});
  const spim::FrameSource* const same = frames.get();
  const auto source = spim::corrected_frames(
      std::move(frames), std::make_shared<FrameCorrector>(FrameCorrections{}, 4, 4), nullptr);
  EXPECT_EQ(source.get(), same);
  EXPECT_FALSE(source->cost().whole_frame);
}

TEST(CorrectedFrames, RoundHalvesToEvenAndDoNotCountWhatRoundsToTheEnds) {
  Image image(1, 8);
  image.samples = {0.5F, 1.5F, -0.5F, -0.51F, 65535.49F, 65536.0F, 2.25F, 1e30F};
  std::vector<std::uint16_t> out(8);
  spim::round_samples(image.samples.data(), 8, out.data());
  EXPECT_THAT(out, testing::ElementsAre(0, 2, 0, 0, 65535, 65535, 2, 65535));
  const spim::ClippedSamples clipped = spim::count_clipped({image.samples.data(), 1, 8, 8});
  EXPECT_EQ(clipped.below, 1);
  EXPECT_EQ(clipped.above, 2);
}

class Broken final : public spim::Destriper {
 public:
  void apply(ImageView<float> frame) override { frame.row(1)[2] = std::numeric_limits<float>::quiet_NaN(); }
};

TEST(CorrectedFrames, RefuseSamplesThatAreNotNumbersAndNameTheFrame) {
  FrameCorrections what;
  what.destriper = std::make_shared<Broken>();
  const auto source =
      spim::corrected_frames(spim::oriented_frames(std::make_shared<FakeFrames>(3, 8, 8), {}, {}),
                             std::make_shared<FrameCorrector>(what, 8, 8), nullptr);
  EXPECT_THAT([&] { load_all(*source, 2); }, ThrowsMessage<spim::Error>(HasSubstr("frame 2: ")));
}

TEST(CorrectedFrames, DarkAboveTheDataGivesZerosThatAreCounted) {
  const auto reader = std::make_shared<FakeFrames>(spim::StackInfo{1, 1, 6, 7, spim::PixelType::u8});
  const auto tally = std::make_shared<ClipTally>();
  FrameCorrections what;
  what.dark = 1000;
  const auto source = spim::corrected_frames(spim::oriented_frames(reader, {}, {}),
                                             std::make_shared<FrameCorrector>(what, 6, 7), tally);
  EXPECT_EQ(source->type(), spim::PixelType::u16);
  EXPECT_THAT(load_all(*source, 0), testing::Each(0));
  EXPECT_EQ(tally->clipped().below, 42);
}

std::shared_ptr<FlatField> flat_of(std::vector<float> samples) {
  const auto count = static_cast<std::int64_t>(samples.size());
  return std::make_shared<FlatField>(std::move(samples), 1, count, "flat.tif");
}

TEST(FlatField, IsRelativeToItsBrightestSample) {
  const auto flat = flat_of({50, 200, 100});
  EXPECT_THAT(std::vector<float>(flat->row(0), flat->row(0) + 3), testing::ElementsAre(0.25F, 1, 0.5F));
}

TEST(FlatField, RefusesWhatNothingCanBeDividedBy) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  EXPECT_THAT(
      [] {
        flat_of({1, 2, 0, 4, 0});
      },
      ThrowsMessage<spim::Error>(
          testing::AllOf(HasSubstr("flat.tif: 2 of 5 samples"), HasSubstr("first is 0 in row 0, column 2"))));
  for (const float bad : {nan, inf, -inf, -1.0F}) EXPECT_THROW(flat_of({1, bad}), spim::Error) << bad;
  EXPECT_THROW(flat_of({1e-38F, 1e38F}), spim::Error);
  EXPECT_THROW(FlatField({1, 2, 3}, 2, 2, "flat.tif"), spim::Error);
  EXPECT_THROW(FlatField({}, 0, 0, "flat.tif"), spim::Error);
}

TEST(FrameCorrector, RefusesAFlatOfAnotherShape) {
  FrameCorrections what;
  what.flat = uneven_flat(8, 9);
  EXPECT_THAT([&] { FrameCorrector(what, 9, 8); },
              ThrowsMessage<spim::Error>(
                  testing::AllOf(HasSubstr("flat.tif: has 8 rows x 9 columns"), HasSubstr("have 9 x 8"))));
}

/// Waves that cubic splines follow, away from the mirrors at the ends.
TEST(FrameCorrector, MagnifiesAroundTheCentre) {
  constexpr std::int64_t kRows = 60, kColumns = 90;
  FrameCorrections what;
  what.magnification = {1.5, 50, 20};
  FrameCorrector corrector(what, kRows, kColumns);
  Image image(kRows, kColumns);
  const auto scene = [](double y, double x) { return 1000 + 200 * std::sin(y / 9) + 300 * std::cos(x / 11); };
  for (std::int64_t y = 0; y < kRows; ++y)
    for (std::int64_t x = 0; x < kColumns; ++x)
      image.at(y, x) = static_cast<float>(scene(static_cast<double>(y), static_cast<double>(x)));
  corrector.apply(image.view());
  // The first and last sample of the enlarged image lie on those of the image.
  const double step_y = 59.0 / 89, step_x = 89.0 / 134;
  for (std::int64_t y = 0; y < kRows; ++y)
    for (std::int64_t x = 0; x < kColumns; ++x) {
      const double from_y = static_cast<double>(30 - 30 + y) * step_y;
      const double from_x = static_cast<double>(75 - 45 + x) * step_x;
      const bool inside = from_y > 6 && from_y < 53 && from_x > 6 && from_x < 83;
      if (!inside) continue;
      ASSERT_NEAR(image.at(y, x), scene(from_y, from_x), 0.01) << y << " " << x;
    }
}

TEST(FrameCorrector, MagnifiesConstantFramesAndTinyOnesWithoutChangingThem) {
  struct Size {
    std::int64_t rows, columns;
  };
  for (const Size size : {Size{1, 1}, {1, 7}, {7, 1}, {2, 3}, {17, 33}}) {
    FrameCorrections what;
    what.magnification.factor = 1.25;
    FrameCorrector corrector(what, size.rows, size.columns);
    Image image(size.rows, size.columns, 777);
    corrector.apply(image.view());
    for (const float sample : image.samples) ASSERT_NEAR(sample, 777, 1e-3);
  }
}

TEST(FrameCorrector, RefusesMagnificationsThatLeaveTheFrame) {
  FrameCorrections what;
  what.magnification.factor = 0.9;
  EXPECT_THROW(FrameCorrector(what, 10, 10), spim::UsageError);
  what.magnification = {1.1, 2, 50};
  EXPECT_THAT(
      [&] { FrameCorrector(what, 100, 100); },
      ThrowsMessage<spim::UsageError>(testing::AllOf(HasSubstr("leaves the frame"), HasSubstr("column"))));
}

TEST(CorrectedFrames, AreCorrectedOnceInASweepOfOneLane) {
  const auto reader = std::make_shared<FakeFrames>(300, 96, 80);
  const auto ramp = std::make_shared<Ramp>();
  FrameCorrections what;
  what.destriper = ramp;
  auto frames = spim::corrected_frames(spim::oriented_frames(reader, {3, true}, {}),
                                       std::make_shared<FrameCorrector>(what, 80, 96), nullptr);
  spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  const auto volume = spim::oblique_volume(std::move(frames), {1.8, 1.28, 45, 1});
  EXPECT_TRUE(volume->cost().whole_frame);
  spim::test::MemoryWriter writer({32, 32, 32});
  spim::VolumeSpec spec;
  spec.shape = volume->shape();
  spec.chunk = {32, 32, 32};
  spim::NoProgress progress;
  const spim::SweepSettings settings{std::int64_t{1} << 30};
  const spim::SweepPlan plan = spim::plan_sweep(*volume, spec, executor, settings);
  EXPECT_EQ(plan.lanes, 1);
  EXPECT_EQ(plan.corrections, 1);
  spim::sweep(*volume, writer, spec, executor, settings, progress);
  EXPECT_TRUE(plan.reads_ahead);
  EXPECT_EQ(ramp->frames, 300);
  EXPECT_EQ(reader->rows_read, 300 * 96);
}

TEST(CorrectedFrames, GiveTheSameVolumeInSeveralLanes) {
  std::vector<spim::test::Voxels> results;
  std::vector<std::int64_t> lanes;
  for (const std::int64_t memory : {std::int64_t{1} << 30, std::int64_t{0}}) {
    const auto reader = std::make_shared<FakeFrames>(40, 90, 130);
    FrameCorrections what;
    what.destriper = std::make_shared<Ramp>();
    what.dark = 99;
    auto frames = spim::corrected_frames(spim::oriented_frames(reader, {3, true}, {}),
                                         std::make_shared<FrameCorrector>(what, 130, 90), nullptr);
    spim::CancelToken cancel;
    const spim::Executor executor(2, cancel);
    const auto volume = spim::oblique_volume(std::move(frames), {1.8, 1.28, 45, 1});
    spim::test::MemoryWriter writer({16, 16, 16});
    spim::VolumeSpec spec;
    spec.shape = volume->shape();
    spec.chunk = {16, 16, 16};
    spim::NoProgress progress;
    const std::int64_t scratch =
        2 * (volume->cost().scratch_bytes + (std::int64_t{1} << 20) + 3 * 16 * 16 * 16 * 2);
    const spim::SweepSettings settings{memory > 0 ? memory : scratch + 700'000};
    lanes.push_back(spim::plan_sweep(*volume, spec, executor, settings).lanes);
    spim::sweep(*volume, writer, spec, executor, settings, progress);
    results.push_back(writer.levels().front());
  }
  EXPECT_EQ(lanes.front(), 1);
  EXPECT_GT(lanes.back(), 1);
  EXPECT_TRUE(results.front() == results.back());
}

TEST(CorrectedFrames, AreCorrectedSeldomWhereBandsHoldFewOfManyTiles) {
  constexpr std::int64_t kTiles = 6, kFrames = 48, kRows = 96;
  spim::CancelToken cancel;
  const spim::Executor executor(2, cancel);
  std::vector<spim::test::Voxels> results;
  std::int64_t memory = std::int64_t{1} << 30;
  for (const bool little : {false, true}) {
    const auto ramp = std::make_shared<Ramp>();
    std::vector<spim::PlacedTile> tiles;
    for (std::int64_t i = 0; i < kTiles; ++i) {
      FrameCorrections what;
      what.destriper = ramp;
      auto frames = spim::corrected_frames(
          spim::oriented_frames(std::make_shared<FakeFrames>(kFrames, 40, kRows), {3, true}, {}),
          std::make_shared<FrameCorrector>(what, kRows, 40), nullptr);
      tiles.push_back({spim::oblique_volume(std::move(frames), {1.8, 1.28, 45, 1}),
                       {0, static_cast<double>(i * (kRows - 10)), 0},
                       "tile"});
    }
    const auto volume = spim::mosaic(std::move(tiles), {});
    spim::VolumeSpec spec;
    spec.shape = volume->shape();
    spec.chunk = {16, 16, 16};
    const spim::SweepPlan plan = spim::plan_sweep(*volume, spec, executor, {memory});
    spim::test::MemoryWriter writer(spec.chunk);
    spim::NoProgress progress;
    spim::sweep(*volume, writer, spec, executor, {memory}, progress);
    EXPECT_NEAR(ramp->frames, plan.corrections * kTiles * kFrames, 0.5);
    EXPECT_EQ(plan.lanes > 1, little);
    EXPECT_LT(plan.corrections, little ? 2 : 1.001);
    results.push_back(writer.levels().front());
    const std::int64_t workers = executor.workers() * (volume->cost().scratch_bytes + (1 << 20) + 3 * 8192);
    memory = workers + (plan.memory_bytes - workers) * 2 / 5;
  }
  EXPECT_TRUE(results.front() == results.back());
}

}  // namespace
