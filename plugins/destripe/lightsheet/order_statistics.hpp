#pragma once
/// The two samples between which a percentile lies, by counting.

#include <cstdint>

#include "sample_keys.hpp"

namespace spim::lightsheet {

/// Keys are counted in blocks of so many; a window is filled up with kHighestKey to whole blocks, each
/// aligned to 64 bytes.
inline constexpr std::int64_t kKeyBlock = 32;

constexpr std::int64_t padded_keys(std::int64_t count) noexcept {
  return (count + kKeyBlock - 1) / kKeyBlock * kKeyBlock;
}

/// The keys of a window in any order, filled up. Borrowed.
struct KeyWindow {
  const Key* keys = nullptr;
  std::int64_t count = 0;  ///< without the filling
};

/// Place of a percentile among sorted samples: between sample `rank` (from 0) and the next one, at
/// `fraction`.
struct PercentileRank {
  std::int64_t rank = 0;
  double fraction = 0;

  /// Of `share` (0 to 1) of `count` > 0 samples, by linear interpolation (numpy.percentile's default).
  static PercentileRank of(double share, std::int64_t count) noexcept;
};

/// The keys of two consecutive ranks.
struct KeyPair {
  int low = 0, high = 0;
  std::int64_t below = 0;  ///< keys of the window that are smaller than `low`
};

/// The keys of ranks `rank` and rank + 1 (the last one again when there is no next). `guess` is a key near
/// them, which saves time.
KeyPair select(const KeyWindow& window, std::int64_t rank, int guess);

/// Positions in the window at which `key` stands, into `out`, which has room for all; returns how many.
std::int64_t find_equal(const KeyWindow& window, int key, std::int32_t* out);

}  // namespace spim::lightsheet
