// link: spim_pearson
/// Shifts of simulated tiles as the aligner `pearson` finds them.

#include "plugins/align/pearson/pearson.hpp"

#include <limits>
#include <map>
#include <thread>

#include "plugins/align/common/confidence.hpp"
#include "spim/error.hpp"
#include "support/align_pair.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"

namespace spim::test {
namespace {

using Given = std::map<std::string, std::string>;

/// An aligner and what it needs to live.
struct Configured {
  explicit Configured(const Given& given = {})
      : table(kPearsonOptions, given), aligner(host, table.options()) {}
  RecordingHost host;
  TableOptions table;
  PearsonAligner aligner;
};

std::vector<ShiftSample> found_with(const Given& given, const TilePair& pair) {
  Configured configured(given);
  return align_pair(configured.aligner, pair);
}

std::vector<ShiftSample> found_in(const TilePair& pair) {
  return found_with({}, pair);
}

constexpr Vec3 kBelow{0, 80, 0};

/// A tile that is the same everywhere but remembers what it was asked for.
class FlatTile final : public TileView {
 public:
  Index3 shape() const override { return {60, 60, 60}; }
  IndexRange valid_x(std::int64_t) const override { return {0, 60}; }
  void read(const Box& box, VolumeView<float> out) override {
    ++reads;
    EXPECT_TRUE(contains({{}, shape()}, box));
    std::fill(out.data, out.data + count(out.size), 1234.5F);
  }
  int reads = 0;
};

TEST(Pearson, FindsErrorsOfTheStageToAFractionOfAVoxel) {
  const Vec3 errors[] = {{7.6, -3.1, 2.95}, {-6.8, 6.3, -7.9}, {0.4, -7.5, 7.7}};
  std::vector<double> all;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const TilePair pair = tile_pair(usual_stack(seed), kBelow, errors[seed - 1]);
    const std::vector<ShiftSample> samples = found_in(pair);
    EXPECT_GE(samples.size(), 10U) << seed;
    std::vector<double> x, y, z;
    for (const ShiftSample& s : samples) {
      all.push_back(error_of(s, pair));
      if (s.confidence >= alignment::kTrusted) {
        EXPECT_LT(all.back(), 2) << seed;
      }
      EXPECT_GE(s.correlation, 0.95);
      x.push_back(s.shift.x - pair.error_voxels.x);
      y.push_back(s.shift.y - pair.error_voxels.y);
      z.push_back(s.shift.z - pair.error_voxels.z);
    }
    EXPECT_NEAR(median(x), 0, 0.12) << seed;
    EXPECT_NEAR(median(y), 0, 0.12) << seed;
    EXPECT_NEAR(median(z), 0, 0.12) << seed;
  }
  EXPECT_LE(median(all), 0.15);
}

TEST(Pearson, DoesNotPreferWholeVoxels) {
  for (const double fraction : {0.0, 0.25, 0.5, 0.75}) {
    SimulatedStack stack = usual_stack(5);
    stack.noise.electrons_per_level = 0;
    stack.noise.read_noise = 0;
    stack.stripes = stack.illumination = 0;
    const TilePair pair = tile_pair(stack, kBelow, {fraction, -fraction, fraction});
    std::vector<double> x, y, z;
    for (const ShiftSample& s : found_with(Given{{"sample-count", "30"}}, pair)) {
      x.push_back(s.shift.x - fraction);
      y.push_back(s.shift.y + fraction);
      z.push_back(s.shift.z - fraction);
    }
    ASSERT_GE(x.size(), 20U);
    EXPECT_NEAR(median(x), 0, 0.05) << fraction;
    EXPECT_NEAR(median(y), 0, 0.05) << fraction;
    EXPECT_NEAR(median(z), 0, 0.05) << fraction;
  }
}

TEST(Pearson, IsNotPulledByStripesThatBothTilesShare) {
  SimulatedStack stack = usual_stack(7);
  stack.stripes = 0.4;
  stack.phantom.brightness = 0.2;
  TilePair pair = tile_pair(stack, kBelow, {3.3, 5.2, -4.4});
  pair.moving.tile = pair.fixed.tile;  // the same shadows and the same noise at the same place of the frames
  std::vector<double> errors;
  for (const ShiftSample& s : found_with(Given{{"min-correlation", "0"}}, pair))
    if (s.confidence >= alignment::kTrusted) {
      errors.push_back(error_of(s, pair));
      EXPECT_LT(errors.back(), 2);
    }
  ASSERT_GE(errors.size(), 5U);
  EXPECT_LE(median(errors), 0.25);
}

TEST(Pearson, IsRightWhereItIsConfidentWhateverTheCorrelation) {
  SimulatedStack stack = usual_stack(9);
  stack.phantom.brightness = 0.03;  // hardly more than the noise
  const TilePair pair = tile_pair(stack, kBelow, {-5.1, 2.4, 6.6});
  int trusted = 0, close = 0;
  for (const ShiftSample& s : found_with(Given{{"min-correlation", "-1"}, {"sample-count", "60"}}, pair)) {
    if (s.confidence < alignment::kTrusted) continue;
    ++trusted;
    close += error_of(s, pair) <= 0.5;
    EXPECT_LT(error_of(s, pair), 2) << s.confidence;
  }
  EXPECT_GE(trusted, 10);
  EXPECT_GE(close, trusted * 9 / 10);
}

TEST(Pearson, UsesWindowsThatReachBeyondASlantedOverlap) {
  SimulatedStack stack = usual_stack(3);
  const TilePair pair = tile_pair(stack, {110, 0, 0}, {-4.2, 3.3, 1.6});  // 20 voxels along x in every plane
  std::vector<double> errors;
  for (const ShiftSample& s : found_in(pair)) errors.push_back(error_of(s, pair));
  ASSERT_GE(errors.size(), 10U);
  EXPECT_LE(median(errors), 0.25);
}

TEST(Pearson, MeasuresOverlapsThatAreThinnerThanItsWindowsAndItsSmoothing) {
  for (const Given& given : {Given{}, Given{{"sigma", "10"}, {"window-size", "51,51,51"}}}) {
    const TilePair pair = tile_pair(usual_stack(7), {118, 0, 0}, {-3.4, 5.3, -4.6});  // 12 voxels, 8 in truth
    std::vector<double> errors;
    for (const ShiftSample& s : found_with(given, pair)) {
      errors.push_back(error_of(s, pair));
      if (s.confidence >= alignment::kTrusted) {
        EXPECT_LT(errors.back(), 2);
      }
    }
    EXPECT_GE(errors.size(), 8U);
    EXPECT_LE(median(errors), 0.3);
  }
}

TEST(Pearson, StaysUnbiasedUnderStrongSmoothing) {
  const TilePair pair = tile_pair(usual_stack(4), {0, 50, 0}, {2.7, -5.3, 4.1});
  std::vector<double> y;
  Configured setup(Given{{"sigma", "10"}, {"window-size", "51,51,51"}, {"min-correlation", "0.9"}});
  for (const ShiftSample& s : align_pair(setup.aligner, pair)) y.push_back(s.shift.y - pair.error_voxels.y);
  ASSERT_GE(y.size(), 10U);
  EXPECT_NEAR(median(y), 0, 0.15);
}

TEST(Pearson, FindsNothingWhereThereIsNothing) {
  Configured setup(Given{{"min-correlation", "-1"}});
  FlatTile fixed, moving;
  EXPECT_TRUE(align_tiles(setup.aligner, fixed, moving, {0, 40, 0}, {1, 1, 1}).empty());
  const int reads = fixed.reads;
  EXPECT_GT(reads, 0);
  EXPECT_EQ(moving.reads, 0) << "without a bright spot the other tile need not be read";
  for (const Vec3 guess :
       {Vec3{0, 60, 0}, Vec3{1e18, 0, 0}, Vec3{std::numeric_limits<double>::quiet_NaN(), 0, 0}})
    EXPECT_TRUE(align_tiles(setup.aligner, fixed, moving, guess, {1, 1, 1}).empty());
  EXPECT_EQ(fixed.reads, reads) << "tiles that do not overlap need not be read";
}

TEST(Pearson, TrustsNothingInNoise) {
  SimulatedStack stack = usual_stack(6);
  stack.content = StackContent::nothing;
  const TilePair pair = tile_pair(stack, kBelow, {});
  EXPECT_TRUE(found_in(pair).empty());
  for (const ShiftSample& s : found_with(Given{{"min-correlation", "-1"}}, pair))
    EXPECT_LT(s.confidence, alignment::kTrusted);
}

/// Runs loops on several threads, last index first.
class ThreadedHost final : public Host {
 public:
  void log(LogLevel, std::string_view) noexcept override {}
  bool cancelled() const noexcept override { return false; }
  void parallel_for(std::int64_t n, void (*body)(void*, std::int64_t), void* context) override {
    std::vector<std::thread> threads;
    for (std::int64_t t = 0; t < 3; ++t)
      threads.emplace_back([=] {
        for (std::int64_t i = n - 1 - t; i >= 0; i -= 3) body(context, i);
      });
    for (std::thread& thread : threads) thread.join();
  }
};

TEST(Pearson, GivesTheSameOnAnyNumberOfThreads) {
  const TilePair pair = tile_pair(usual_stack(2), kBelow, {1.5, 2.5, -3.5});
  SimulatedTile fixed(pair.fixed), moving(pair.moving);
  Configured serial;
  ThreadedHost host;
  PearsonAligner threaded(host, serial.table.options());
  const auto a = align_tiles(serial.aligner, fixed, moving, kBelow, fixed.voxel_um());
  const auto b = align_tiles(threaded, fixed, moving, kBelow, fixed.voxel_um());
  const auto other = align_tiles(serial.aligner, fixed, moving, kBelow, fixed.voxel_um(), 2);
  ASSERT_EQ(a.size(), b.size());
  ASSERT_FALSE(a.empty());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].at, b[i].at);
    EXPECT_EQ(a[i].shift, b[i].shift);
    EXPECT_EQ(a[i].confidence, b[i].confidence);
  }
  ASSERT_FALSE(other.empty());
  EXPECT_FALSE(other[0].at == a[0].at) << "another seed, other places";
}

TEST(Pearson, RefusesOptionsThatAreNoWindow) {
  for (const char* text : {"20,21,21", "21,21", "21,x,21", "", "1,1,1", "21,21,21,21", "99999"})
    EXPECT_THROW(Configured(Given{{"window-size", text}}), UsageError) << text;
  EXPECT_NO_THROW(Configured(Given{{"window-size", "31"}}));
  EXPECT_THROW(Configured(Given{{"border-size", "0"}}), UsageError);
}

}  // namespace
}  // namespace spim::test
