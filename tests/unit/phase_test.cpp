// link: spim_phase
/// Shifts of simulated tiles as the aligner `phase` finds them.

#include "plugins/align/phase/phase.hpp"

#include <map>
#include <random>

#include "plugins/align/common/confidence.hpp"
#include "plugins/align/phase/fourier.hpp"
#include "spim/error.hpp"
#include "support/align_pair.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"

namespace spim::test {
namespace {

using Given = std::map<std::string, std::string>;

struct Configured {
  explicit Configured(const Given& given = {})
      : table(kPhaseOptions, given), aligner(host, table.options()) {}
  RecordingHost host;
  TableOptions table;
  PhaseAligner aligner;
};

std::vector<ShiftSample> found_with(const Given& given, const TilePair& pair) {
  Configured configured(given);
  return align_pair(configured.aligner, pair);
}

std::vector<ShiftSample> found_in(const TilePair& pair) {
  return found_with({{"sample-count", "3"}}, pair);
}

TEST(Phase, FindsErrorsOfUpToAHundredVoxels) {
  const Vec3 errors[] = {{61.3, -40.2, -35.7}, {-58.4, -99.5, 28.3}, {5.2, -7.6, 3.4}};
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SimulatedStack stack = usual_stack(seed);
    stack.frames = 180;
    stack.rows = 200;
    const TilePair pair = tile_pair(stack, {0, 165, 0}, errors[seed - 1]);
    int trusted = 0;
    for (const ShiftSample& s : found_in(pair)) {
      if (s.confidence < alignment::kTrusted) continue;
      ++trusted;
      EXPECT_LE(error_of(s, pair), 0.5) << seed;
    }
    EXPECT_GE(trusted, 1) << seed;
  }
}

TEST(Phase, IsNotSureInARepeatedStructure) {
  SimulatedStack stack = usual_stack(1);
  stack.frames = 180;
  stack.rows = 200;
  stack.phantom.repeat_um = 80;
  const TilePair pair = tile_pair(stack, {0, 140, 0}, {5, -6, 7});
  for (const ShiftSample& s : found_in(pair))
    EXPECT_LT(s.confidence, alignment::kTrusted) << error_of(s, pair);
}

TEST(Phase, TrustsNothingWhereThereIsNothing) {
  SimulatedStack stack = usual_stack(6);
  stack.content = StackContent::nothing;
  for (const ShiftSample& s :
       found_with(Given{{"sample-count", "3"}, {"min-correlation", "-1"}}, tile_pair(stack, {0, 80, 0}, {})))
    EXPECT_LT(s.confidence, alignment::kTrusted);
  EXPECT_TRUE(found_in(tile_pair(stack, {0, 110, 0}, {})).empty());
}

TEST(Phase, RefusesOptionsThatAreNoWindow) {
  EXPECT_THROW(Configured(Given{{"window-size", "128"}}), UsageError);
  EXPECT_THROW(Configured(Given{{"search-size", "-5"}}), UsageError);
}

TEST(Fourier, ComesBackAndTurnsShiftsIntoPhases) {
  const Index3 size{good_length(13), good_length(7), good_length(11)};
  EXPECT_EQ(size, (Index3{15, 8, 12}));
  Spectrum volume{size, {}}, moved{size, {}};
  std::mt19937 random(1);
  for (std::int64_t i = 0; i < count(size); ++i)
    volume.values.emplace_back(static_cast<float>(random() % 1000), 0.0F);
  const auto original = volume.values;
  moved.values = original;
  for (std::int64_t i = 0; i < count(size); ++i) {
    const std::int64_t x = i % size.x, row = i - x;
    moved.values[static_cast<std::size_t>(i)] = original[static_cast<std::size_t>(row + (x + 1) % size.x)];
  }
  transform(volume);
  transform(moved);
  for (std::int64_t i = 0; i < count(size); ++i) {
    const auto turn =
        std::polar(1.0F, 2 * 3.14159265F * static_cast<float>(i % size.x) / static_cast<float>(size.x));
    const auto k = static_cast<std::size_t>(i);
    EXPECT_LT(std::abs(moved.values[k] - volume.values[k] * turn), 1.0F);
  }
  transform_back(volume);
  for (std::size_t i = 0; i < original.size(); ++i)
    EXPECT_LT(std::abs(volume.values[i] - original[i]), 0.05F);
}

}  // namespace
}  // namespace spim::test
