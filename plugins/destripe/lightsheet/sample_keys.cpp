#include "sample_keys.hpp"

#include <algorithm>
#include <limits>

#include "spim/clones.hpp"
#include "spim/error.hpp"

namespace spim::lightsheet {

namespace {

constexpr float kLargestSample = 1e30F;
constexpr float kLargestWhole =
    8388608;  ///< 2^23: adding it to a smaller sample leaves no room for fractions
constexpr int kKeys = 65536;

/// What a look at all samples tells.
struct Extremes {
  float lowest = std::numeric_limits<float>::max();
  float highest = std::numeric_limits<float>::lowest();
  bool numbers = true, whole = true;
};

/// Eight samples at any address. Written as vectors because the order of the comparisons of a plain loop is
/// not the compiler's to change.
typedef float Floats __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::int32_t Flags __attribute__((vector_size(32)));
constexpr std::int64_t kLanes = 8;

/// Extremes of eight samples at a time.
struct LaneExtremes {
  Floats lowest, highest;
  Flags unordered, broken;
};

__attribute__((always_inline)) inline void look_at_eight(const Floats& v, LaneExtremes& found) {
  found.lowest = v < found.lowest ? v : found.lowest;
  found.highest = v > found.highest ? v : found.highest;
  found.unordered |= v != v;
  const Floats size = v < 0 ? -v : v;
  found.broken |= (size + kLargestWhole) - kLargestWhole != size;
}

SPIM_CLONES void look_at(const float* samples, std::int64_t count, Extremes& total) {
  LaneExtremes found{Floats{} + total.lowest, Floats{} + total.highest, Flags{}, Flags{}};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    look_at_eight(*reinterpret_cast<const Floats*>(samples + i), found);
  for (; i < count; ++i) look_at_eight(Floats{} + samples[i], found);
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    total.lowest = std::min(total.lowest, static_cast<float>(found.lowest[lane]));
    total.highest = std::max(total.highest, static_cast<float>(found.highest[lane]));
    if (found.unordered[lane] != 0) total.numbers = false;
    if (found.broken[lane] != 0) total.whole = false;
  }
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
  if (!found.numbers || found.lowest < -kLargestSample || found.highest > kLargestSample)
    throw Error(
        "the frame holds samples that are not numbers or beyond 1e30; check the flat and dark images");
  lowest_ = found.lowest;
  const float span = found.highest - found.lowest;
  whole_ = found.whole && found.lowest >= -kLargestWhole && found.highest <= kLargestWhole;
  exact_ = (whole_ && span < static_cast<float>(kKeys)) || span == 0;
  // The limit keeps a vanishing span from an infinite scale, whose product with zero is not a number.
  if (!exact_) scale_ = std::min(static_cast<float>(kKeys - 1) / span, std::numeric_limits<float>::max());
}

void KeyScale::keys(const float* samples, std::int64_t count, Key* out) const {
  make_keys(samples, count, lowest_, scale_, out);
}

}  // namespace spim::lightsheet
