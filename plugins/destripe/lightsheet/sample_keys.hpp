#pragma once
/// Order-preserving 16-bit keys of float samples, so that percentiles can be found by comparing 16 samples at
/// a time.

#include <cstdint>

#include "spim/image.hpp"

namespace spim::lightsheet {

using Key = std::int16_t;
inline constexpr int kLowestKey = -32768, kHighestKey = 32767;

/// How samples of one frame become keys: a smaller sample never gets a larger key.
class KeyScale {
 public:
  /// Looks at all samples. Throws Error when one is not a number or beyond ±1e30.
  explicit KeyScale(ImageView<const float> frame);

  /// The samples are whole numbers, as a camera counts them.
  bool whole() const noexcept { return whole_; }
  /// Each key stands for one value: the samples are whole numbers that span less than 65536, or all the same.
  bool exact() const noexcept { return exact_; }
  /// The sample of a key, when exact().
  double value(int key) const noexcept { return static_cast<double>(lowest_) + (key - kLowestKey); }

  /// Keys of `count` samples.
  void keys(const float* samples, std::int64_t count, Key* out) const;

 private:
  bool whole_ = false, exact_ = false;
  float lowest_ = 0;
  float scale_ = 1;  ///< keys per grey level
};

}  // namespace spim::lightsheet
