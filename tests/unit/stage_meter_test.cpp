#include "spim/host/stage_meter.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

#include "spim/host/metered_frames.hpp"
#include "support/fake_frames.hpp"

namespace {

using spim::Stage;
using spim::StageMeter;
using spim::StageTimer;
using spim::StageTotals;

/// Keeps this thread busy for `seconds` of its CPU time.
void compute(double seconds) {
  const auto now = [] {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  };
  const double end = now() + seconds;
  while (now() < end) {
  }
}

TEST(StageMeter, CountsCpuTimeWhereThreadsComputeAndWallTimeWhereTheyWait) {
  StageMeter meter;
  {
    const StageTimer timer(&meter, Stage::place, 100);
    compute(0.02);
  }
  {
    const StageTimer timer(&meter, Stage::commit);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const StageTotals place = meter.of(Stage::place), commit = meter.of(Stage::commit);
  EXPECT_GE(place.cpu_seconds, 0.02);
  EXPECT_LT(place.cpu_seconds, 0.04);
  EXPECT_GE(place.wall_seconds, 0.9 * place.cpu_seconds);
  EXPECT_EQ(place.bytes, 100);
  EXPECT_EQ(place.calls, 1);
  EXPECT_LT(commit.cpu_seconds, 0.01);
  EXPECT_GE(commit.wall_seconds, 0.02);
}

TEST(StageMeter, GivesTimeInsideAnInnerStageToThatStageAlone) {
  StageMeter meter;
  {
    const StageTimer outer(&meter, Stage::correct);
    compute(0.005);
    for (int i = 0; i < 2; ++i) {
      const StageTimer inner(&meter, Stage::read);
      compute(0.02);
    }
  }
  EXPECT_EQ(meter.of(Stage::read).calls, 2);
  EXPECT_GE(meter.of(Stage::read).cpu_seconds, 0.04);
  EXPECT_EQ(meter.of(Stage::correct).calls, 1);
  EXPECT_GE(meter.of(Stage::correct).cpu_seconds, 0.005);
  EXPECT_LT(meter.of(Stage::correct).cpu_seconds, 0.02);
}

TEST(StageMeter, AddsUpOverThreads) {
  StageMeter meter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) const StageTimer timer(&meter, Stage::encode, 3);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(meter.of(Stage::encode).calls, 4000);
  EXPECT_EQ(meter.of(Stage::encode).bytes, 12000);
}

TEST(StageMeter, TellsPartsApartByTheDifferenceOfReadings) {
  StageMeter meter;
  meter.add_bytes(Stage::read, 5);
  const StageTotals before = meter.of(Stage::read);
  meter.add_bytes(Stage::read, 7);
  EXPECT_EQ((meter.of(Stage::read) - before).bytes, 7);
}

TEST(StageTimer, DoesNothingWithoutAMeter) {
  StageMeter meter;
  {
    const StageTimer outer(&meter, Stage::correct);
    const StageTimer none(nullptr, Stage::read);
    compute(0.01);
  }
  EXPECT_GE(meter.of(Stage::correct).cpu_seconds, 0.01);
}

TEST(MeteredFrames, CountBytesAskedOfTheCameraFileAndLoads) {
  StageMeter meter;
  const auto file = std::make_shared<spim::test::FakeFrames>(4, 16, 64);
  const auto frames = spim::metered_frames(
      spim::oriented_frames(spim::counted_reader(file, meter), {3, true}, {}), meter, Stage::read);
  // The microscope's orientation: a part in z takes its own camera rows only.
  std::vector<std::uint16_t> samples(4 * 64);
  frames->load(1, {8, 0}, {samples.data(), 4, 64, 4 * 64});
  EXPECT_EQ(file->rows_read, 4);
  EXPECT_EQ(meter.of(Stage::read).bytes, 4 * 64 * 2);
  EXPECT_EQ(meter.of(Stage::read).calls, 1);
}

}  // namespace
