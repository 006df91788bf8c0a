#include "sample_keys.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "spim/clones.hpp"
#include "spim/error.hpp"

namespace spim::lightsheet {

namespace {

constexpr float kLargestSample = 1e30F;
constexpr float kLargestWhole = 16777216;  ///< above it floats are whole because they cannot be otherwise
constexpr int kKeys = 65536;

/// What a look at all samples tells.
struct Extremes {
  float lowest = std::numeric_limits<float>::max();
  float highest = std::numeric_limits<float>::lowest();
  bool usable = true, whole = true;
};

/// Lanes that the compiler turns into vectors: the order of comparisons of a plain loop is not its to change.
constexpr std::size_t kLanes = 16;

SPIM_CLONES void look_at(const float* samples, std::int64_t count, Extremes& found) {
  std::array<float, kLanes> low, high;
  std::array<std::int32_t, kLanes> unusable{}, broken{};
  low.fill(found.lowest);
  high.fill(found.highest);
  const auto look = [&](std::size_t lane, float v) __attribute__((always_inline)) {
    low[lane] = v < low[lane] ? v : low[lane];
    high[lane] = v > high[lane] ? v : high[lane];
    unusable[lane] |= !(std::fabs(v) <= kLargestSample);
    broken[lane] |= v != std::floor(v);
  };
  std::int64_t i = 0;
  for (; i + static_cast<std::int64_t>(kLanes) <= count; i += static_cast<std::int64_t>(kLanes))
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      look(lane, samples[i + static_cast<std::int64_t>(lane)]);
  for (; i < count; ++i) look(0, samples[i]);
  found.lowest = *std::min_element(low.begin(), low.end());
  found.highest = *std::max_element(high.begin(), high.end());
  const auto set = [](std::int32_t flag) { return flag != 0; };
  if (std::any_of(unusable.begin(), unusable.end(), set)) found.usable = false;
  if (std::any_of(broken.begin(), broken.end(), set)) found.whole = false;
}

SPIM_CLONES void make_keys(const float* samples, std::int64_t count, float lowest, float scale, Key* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float steps = (samples[i] - lowest) * scale;
    // The product of the highest sample may round up to 65536.
    const float key = steps < static_cast<float>(kKeys - 1) ? steps : static_cast<float>(kKeys - 1);
    out[i] = static_cast<Key>(static_cast<std::int32_t>(key) + kLowestKey);
  }
}

}  // namespace

KeyScale::KeyScale(ImageView<const float> frame) {
  Extremes found;
  for (std::int64_t i = 0; i < frame.rows; ++i) look_at(frame.row(i), frame.columns, found);
  if (!found.usable)
    throw Error(
        "the frame holds samples that are not numbers or beyond 1e30; check the flat and dark images");
  if (found.lowest > found.highest) return;  // no samples
  lowest_ = found.lowest;
  const float span = found.highest - found.lowest;
  whole_ = found.whole && found.lowest >= -kLargestWhole && found.highest <= kLargestWhole;
  exact_ = (whole_ && span < static_cast<float>(kKeys)) || span == 0;
  if (!exact_) scale_ = static_cast<float>(kKeys - 1) / span;
}

void KeyScale::keys(const float* samples, std::int64_t count, Key* out) const {
  make_keys(samples, count, lowest_, scale_, out);
}

}  // namespace spim::lightsheet
