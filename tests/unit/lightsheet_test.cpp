// link: spim_lightsheet
/// The parts of the destriper `lightsheet`: windows, keys, percentiles by counting.

#include "plugins/destripe/lightsheet/lightsheet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "plugins/destripe/lightsheet/order_statistics.hpp"
#include "spim/error.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"

namespace {

using namespace spim;
using namespace spim::lightsheet;

/// A window of keys with room for whole blocks.
class Filled {
 public:
  explicit Filled(const std::vector<int>& keys) : count_(static_cast<std::int64_t>(keys.size())) {
    Key* const memory = memory_.reserve(padded_keys(count_));
    std::fill_n(memory, padded_keys(count_), static_cast<Key>(kHighestKey));
    std::transform(keys.begin(), keys.end(), memory, [](int k) { return static_cast<Key>(k); });
    window_ = {memory, count_};
  }
  const KeyWindow& window() const { return window_; }

 private:
  KeyMemory memory_;
  std::int64_t count_;
  KeyWindow window_;
};

void expect_like_sorting(std::vector<int> keys) {
  const Filled filled(keys);
  std::sort(keys.begin(), keys.end());
  const auto n = static_cast<std::int64_t>(keys.size());
  for (const std::int64_t rank : {std::int64_t{0}, n / 4, n / 2, n - 1})
    for (const int guess : {kLowestKey, keys.front(), keys[keys.size() / 2], 0, kHighestKey}) {
      const KeyPair pair = select(filled.window(), rank, guess);
      const auto at = keys.begin() + rank;
      EXPECT_EQ(pair.low, *at);
      EXPECT_EQ(pair.high, rank + 1 < n ? *(at + 1) : *at);
      EXPECT_EQ(pair.below, std::lower_bound(keys.begin(), keys.end(), *at) - keys.begin());
    }
}

TEST(Select, FindsWhatSortingFinds) {
  std::mt19937 random(1);
  for (const int count : {1, 2, 31, 32, 33, 150, 1000, 10000})
    for (const auto& [low, high] : {std::pair{kLowestKey, kHighestKey},
                                    {-10, 10},
                                    {kLowestKey, kLowestKey + 1},
                                    {kHighestKey - 2, kHighestKey},
                                    {5, 5}}) {
      std::vector<int> keys(static_cast<std::size_t>(count));
      std::generate(keys.begin(), keys.end(),
                    [&, l = low, h = high] { return std::uniform_int_distribution<int>(l, h)(random); });
      expect_like_sorting(keys);
    }
}

TEST(Select, FindsKeysThatLieFarApart) {
  std::vector<int> keys(500, kLowestKey);
  std::fill(keys.begin() + 300, keys.end(), kHighestKey);
  expect_like_sorting(keys);
  keys[400] = 0;
  expect_like_sorting(keys);
}

TEST(Select, CountsMoreKeysThanACounterHolds) {
  std::vector<int> keys(std::size_t{32} * 40000, -5);
  keys[7] = -6;
  const Filled filled(keys);
  EXPECT_EQ(select(filled.window(), 0, 0).low, -6);
  EXPECT_EQ(select(filled.window(), 0, 0).high, -5);
  EXPECT_EQ(select(filled.window(), 1, 0).low, -5);
  EXPECT_EQ(select(filled.window(), 1, 0).below, 1);
}

TEST(FindEqual, ListsEveryPositionAndNoFilling) {
  std::vector<int> keys(77, 1);
  keys[0] = keys[33] = keys[76] = kHighestKey;
  const Filled filled(keys);
  std::vector<std::int32_t> found(keys.size());
  ASSERT_EQ(find_equal(filled.window(), kHighestKey, found.data()), 3);
  EXPECT_EQ(std::vector<std::int32_t>(found.begin(), found.begin() + 3),
            (std::vector<std::int32_t>{0, 33, 76}));
}

TEST(WindowAxis, CoversTheAxisSymmetrically) {
  const WindowAxis axis(2048, {150, 150});
  EXPECT_EQ(axis.count(), 13);
  EXPECT_EQ(axis.window(0).begin, 49);
  EXPECT_EQ(axis.window(0).size(), 150);
  EXPECT_EQ(axis.window(12).end, 1999);
  const WindowAxis background(2048, {200, 25});
  EXPECT_EQ(background.count(), 81);
  EXPECT_EQ(background.window(0).begin, 0);
  EXPECT_EQ(background.window(0).end, 124);
  EXPECT_EQ(background.window(80).end, 2048);
}

TEST(WindowAxis, HasOneWindowOnAShortAxis) {
  for (std::int64_t extent = 1; extent < 150; ++extent) {
    const WindowAxis axis(extent, {150, 150});
    EXPECT_EQ(axis.count(), 1);
    EXPECT_EQ(axis.window(0).begin, 0);
    EXPECT_EQ(axis.window(0).end, extent);
    EXPECT_EQ(axis.weight(extent - 1), 0);
  }
}

TEST(WindowAxis, SpreadsItsWindowsFromTheFirstSampleToTheLast) {
  for (const std::int64_t extent : {2, 3, 50, 51, 333, 2047, 2048}) {
    const WindowAxis axis(extent, {1, std::max<std::int64_t>(1, extent / 7)});
    ASSERT_GT(axis.count(), 1);
    EXPECT_EQ(axis.weight(0), 0);
    EXPECT_EQ(static_cast<double>(axis.before(extent - 1)) + axis.weight(extent - 1),
              static_cast<double>(axis.count() - 1));
    for (std::int64_t i = 0; i + 1 < axis.count(); ++i)
      for (std::int64_t at = axis.place(i); at < axis.place(i + 1); ++at) {
        const double exact = static_cast<double>(at * (axis.count() - 1)) / static_cast<double>(extent - 1);
        EXPECT_NEAR(static_cast<double>(axis.before(at)) + axis.weight(at), exact, 1e-12);
        EXPECT_EQ(axis.before(at), std::min(i, axis.count() - 2));
      }
  }
}

TEST(KeyScale, NeverTurnsTheOrderRound) {
  std::mt19937 random(2);
  for (const float top : {1e-30F, 0.5F, 60000.5F, 9e29F}) {
    std::vector<float> samples(3000);
    std::generate(samples.begin(), samples.end(),
                  [&] { return std::uniform_real_distribution<float>(-top, top)(random); });
    const KeyScale scale({samples.data(), 1, 3000, 3000});
    EXPECT_FALSE(scale.exact());
    std::sort(samples.begin(), samples.end());
    std::vector<Key> keys(samples.size());
    scale.keys(samples.data(), 3000, keys.data());
    EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
    EXPECT_EQ(keys.front(), kLowestKey);
    EXPECT_GE(keys.back(), kHighestKey - 1);
  }
}

TEST(KeyScale, StandsSamplesThatHardlyDiffer) {
  const std::vector<float> samples = {0, 1e-44F, 3e-44F, 1e-40F};
  const KeyScale scale({samples.data(), 1, 4, 4});
  std::vector<Key> keys(4);
  scale.keys(samples.data(), 4, keys.data());
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(keys.front(), kLowestKey);
}

TEST(KeyScale, GivesEveryCountAKeyOfItsOwn) {
  std::vector<float> samples(65536);
  for (const float first : {0.0F, -200.0F, 70000.0F}) {
    std::iota(samples.begin(), samples.end(), first);
    const KeyScale scale({samples.data(), 256, 256, 256});
    ASSERT_TRUE(scale.exact());
    std::vector<Key> keys(samples.size());
    scale.keys(samples.data(), 65536, keys.data());
    for (std::size_t i = 0; i < samples.size(); ++i)
      ASSERT_EQ(scale.value(keys[i]), static_cast<double>(samples[i]));
  }
}

/// A frame put through an instance with `given` options.
std::vector<float> destriped(std::vector<float> pixels, std::int64_t columns,
                             const std::map<std::string, std::string>& given = {}) {
  test::RecordingHost host;
  const test::TableOptions options(LightsheetDestriper::kOptions, given);
  LightsheetDestriper destriper(host, options.options());
  const auto rows = static_cast<std::int64_t>(pixels.size()) / columns;
  destriper.apply({pixels.data(), rows, columns, columns});
  return pixels;
}

TEST(Lightsheet, RemovesAStripeAndKeepsWhatIsNone) {
  constexpr std::int64_t kColumns = 300;
  std::vector<float> pixels(100 * kColumns, 50);
  std::fill_n(pixels.begin() + 40 * kColumns, kColumns, 80.0F);  // a bright stripe
  pixels[60 * kColumns + 100] = 1000;                            // a cell
  const std::vector<float> result = destriped(pixels, kColumns);
  for (std::size_t i = 0; i < result.size(); ++i)
    EXPECT_EQ(result[i], i == 60 * kColumns + 100 ? 950 : 0) << i;
}

TEST(Lightsheet, SubtractsNoMoreThanTheBackgroundAllows) {
  constexpr std::int64_t kColumns = 300;
  std::vector<float> pixels(100 * kColumns, 50);
  std::fill_n(pixels.begin() + 40 * kColumns, kColumns, 500.0F);
  EXPECT_EQ(destriped(pixels, kColumns)[40 * kColumns + 7], 400);
  EXPECT_EQ(destriped(pixels, kColumns, {{"lightsheet-vs-background", "4"}})[40 * kColumns + 7], 300);
}

TEST(Lightsheet, RefusesAnInfinitePixel) {
  std::vector<float> pixels(30 * 40, 1);
  pixels[77] = INFINITY;
  EXPECT_THROW((void)destriped(pixels, 40), Error);
}

}  // namespace
