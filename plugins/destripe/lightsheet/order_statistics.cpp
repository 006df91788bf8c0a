#include "order_statistics.hpp"

#include <algorithm>
#include <cmath>

#include "spim/clones.hpp"

namespace spim::lightsheet {

namespace {

/// 16 keys that are compared at once (in two halves where vectors have 128 bits).
typedef Key Lanes __attribute__((vector_size(32), may_alias));
constexpr std::int64_t kLanes = 16;
static_assert(kKeyBlock == 2 * kLanes);

/// Keys after which the counters of 16 bits must be emptied.
constexpr std::int64_t kMostCounted = 32767 * kKeyBlock;

SPIM_CLONES std::int64_t count_below(const Key* keys, std::int64_t padded, Key pivot) {
  std::int64_t total = 0;
  for (std::int64_t begin = 0; begin < padded; begin += kMostCounted) {
    Lanes even{}, odd{};
    const auto* const end = reinterpret_cast<const Lanes*>(keys + std::min(padded, begin + kMostCounted));
    for (const auto* at = reinterpret_cast<const Lanes*>(keys + begin); at != end; at += 2) {
      even -= at[0] < pivot;  // a comparison gives -1 where it holds
      odd -= at[1] < pivot;
    }
    for (std::int64_t lane = 0; lane < kLanes; ++lane) total += even[lane] + odd[lane];
  }
  return total;
}

/// The smallest key that is not below `bound`; kHighestKey if there is none.
SPIM_CLONES Key least_from(const Key* keys, std::int64_t padded, Key bound) {
  Lanes least = Lanes{} + static_cast<Key>(kHighestKey);
  const auto* const end = reinterpret_cast<const Lanes*>(keys + padded);
  for (const auto* at = reinterpret_cast<const Lanes*>(keys); at != end; ++at) {
    const Lanes smaller = (*at < least) & (*at >= bound);
    least = (smaller & *at) | (~smaller & least);
  }
  Key result = least[0];
  for (std::int64_t lane = 1; lane < kLanes; ++lane) result = std::min(result, static_cast<Key>(least[lane]));
  return result;
}

/// Blocks without the key, nearly all of them, are passed over at once.
SPIM_CLONES std::int64_t collect_equal(const Key* keys, std::int64_t count, Key key, std::int32_t* out) {
  typedef std::int64_t Words __attribute__((vector_size(32), may_alias));
  std::int64_t found = 0;
  for (std::int64_t begin = 0; begin < count; begin += kLanes) {
    const Lanes same = *reinterpret_cast<const Lanes*>(keys + begin) == key;
    const Words words = reinterpret_cast<const Words&>(same);
    if ((words[0] | words[1] | words[2] | words[3]) == 0) continue;
    const std::int64_t end = std::min(count, begin + kLanes);
    for (std::int64_t i = begin; i < end; ++i)
      if (keys[i] == key) out[found++] = static_cast<std::int32_t>(i);
  }
  return found;
}

/// Two keys around the one wanted: count_low keys are below `low` and count_high below `high`, and
/// count_low <= rank < count_high.
struct Bracket {
  int low, high;
  std::int64_t count_low, count_high;
};

/// Widens a bracket around `guess` step by step until it holds `rank`.
Bracket bracket(const KeyWindow& window, std::int64_t rank, int guess) {
  const std::int64_t padded = padded_keys(window.count);
  Bracket b{kLowestKey, kHighestKey + 1, 0, window.count};
  int at = std::clamp(guess, kLowestKey + 1, kHighestKey);
  int step = 2;
  for (;;) {
    const std::int64_t count = count_below(window.keys, padded, static_cast<Key>(at));
    const bool above = count > rank;
    const bool was_bounded = above ? b.low > kLowestKey : b.high <= kHighestKey;
    if (above) {
      b.high = at;
      b.count_high = count;
    } else {
      b.low = at;
      b.count_low = count;
    }
    if (was_bounded) return b;
    if ((above && at == kLowestKey + 1) || (!above && at == kHighestKey)) return b;
    at = std::clamp(above ? at - step : at + step, kLowestKey + 1, kHighestKey);
    step *= 3;
  }
}

}  // namespace

PercentileRank PercentileRank::of(double share, std::int64_t count) noexcept {
  const double at = share * static_cast<double>(count - 1);
  const double rank = std::floor(at);
  return {static_cast<std::int64_t>(rank), at - rank};
}

KeyPair select(const KeyWindow& window, std::int64_t rank, int guess) {
  const std::int64_t padded = padded_keys(window.count);
  Bracket b = bracket(window, rank, guess);
  // Where the counts say that the key should be, and every third time in the middle, so that no distribution
  // of keys makes it slow.
  for (int turn = 1; b.high - b.low > 1; ++turn) {
    const double share = turn % 3 == 0 ? 0.5
                                       : (static_cast<double>(rank - b.count_low) + 0.5) /
                                             static_cast<double>(b.count_high - b.count_low);
    const int pivot =
        std::clamp(b.low + static_cast<int>(std::lround(share * (b.high - b.low))), b.low + 1, b.high - 1);
    const std::int64_t count = count_below(window.keys, padded, static_cast<Key>(pivot));
    if (count > rank) {
      b.high = pivot;
      b.count_high = count;
    } else {
      b.low = pivot;
      b.count_low = count;
    }
  }
  KeyPair pair{b.low, b.low, b.count_low};
  if (rank + 1 < window.count && rank + 1 >= b.count_high)
    pair.high = least_from(window.keys, padded, static_cast<Key>(b.high));
  return pair;
}

std::int64_t find_equal(const KeyWindow& window, int key, std::int32_t* out) {
  return collect_equal(window.keys, window.count, static_cast<Key>(key), out);
}

}  // namespace spim::lightsheet
