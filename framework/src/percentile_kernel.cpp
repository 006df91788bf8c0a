#include "percentile_kernel.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "spim/clones.hpp"

namespace spim::detail {

namespace {

/// Pixels whose counters stay in registers: two AVX2 vectors of 16-bit numbers.
constexpr std::int64_t kLanes = 32;

using Lanes = std::array<std::uint16_t, kLanes>;

/// 32 bytes of samples; compilers split it where the processor has no such registers.
typedef std::uint16_t Vector __attribute__((vector_size(32), aligned(2), may_alias));

/// counts[i] = how many of the samples of lane i are at most limits[i].
SPIM_CLONES void count_up_to(const std::uint16_t* samples, std::int64_t frames, const Lanes& limits,
                             Lanes& counts) {
  const Vector low_limit = *reinterpret_cast<const Vector*>(limits.data());
  const Vector high_limit = *reinterpret_cast<const Vector*>(limits.data() + 16);
  Vector low{}, high{};
  for (std::int64_t f = 0; f < frames; ++f, samples += kPixelBlock) {
    low -= reinterpret_cast<Vector>(*reinterpret_cast<const Vector*>(samples) <= low_limit);
    high -= reinterpret_cast<Vector>(*reinterpret_cast<const Vector*>(samples + 16) <= high_limit);
  }
  *reinterpret_cast<Vector*>(counts.data()) = low;
  *reinterpret_cast<Vector*>(counts.data() + 16) = high;
}

/// largest[i] = the largest sample of lane i that is at most limits[i]; 0 when there is none.
SPIM_CLONES void largest_up_to(const std::uint16_t* samples, std::int64_t frames, const Lanes& limits,
                               Lanes& largest) {
  Lanes best{};
  for (std::int64_t f = 0; f < frames; ++f, samples += kPixelBlock)
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::uint16_t value = samples[i] <= limits[i] ? samples[i] : std::uint16_t{0};
      best[i] = std::max(best[i], value);
    }
  largest = best;
}

/// Largest value that bins up to `bin` hold.
std::uint16_t last_value(std::int64_t bin, const BinRule& rule) {
  if (bin >= rule.bins - 1) return 65535;
  return static_cast<std::uint16_t>(std::min<std::int64_t>((bin + 1) * rule.values_per_bin - 1, 65535));
}

/// One pixel during the bisection for the first bin k with c(k) ≥ target.
struct Search {
  double target = 0;
  std::int64_t below = -1;   ///< c(below) < target
  std::int64_t reached = 0;  ///< c(reached) ≥ target
  std::int64_t count_below = 0;
  std::int64_t count_reached = 0;

  bool done() const { return reached - below <= 1; }
  std::int64_t middle() const { return below + (reached - below) / 2; }
  /// Whether the running sum before the step is nearer than the one behind it; the first of two equals.
  bool before_is_nearer() const {
    return target - static_cast<double>(count_below) <= static_cast<double>(count_reached) - target;
  }
};

/// Bins of kLanes pixels whose samples stand in columns of `samples`, kPixelBlock apart.
void bins_of_lanes(const std::uint16_t* samples, std::int64_t frames, const BinRule& rule,
                   std::uint16_t* out) {
  Lanes dark{}, limits{}, counts{};
  if (rule.background > 0) {
    limits.fill(static_cast<std::uint16_t>(std::min<std::int64_t>(rule.background - 1, 65535)));
    count_up_to(samples, frames, limits, dark);
  }
  // No sample lies in bins beyond this one.
  const std::int64_t last = std::min(rule.bins - 1, 65535 / rule.values_per_bin);
  std::array<Search, kLanes> lanes;
  for (std::size_t i = 0; i < kLanes; ++i) {
    lanes[i].reached = last;
    lanes[i].count_reached = frames - dark[i];
    lanes[i].target = rule.percentile / 100 * static_cast<double>(lanes[i].count_reached);
  }
  while (std::any_of(lanes.begin(), lanes.end(), [](const Search& s) { return !s.done(); })) {
    for (std::size_t i = 0; i < kLanes; ++i)
      limits[i] = last_value(std::max<std::int64_t>(lanes[i].middle(), 0), rule);
    count_up_to(samples, frames, limits, counts);
    for (std::size_t i = 0; i < kLanes; ++i) {
      Search& lane = lanes[i];
      if (lane.done()) continue;
      const std::int64_t count = std::max(counts[i] - dark[i], 0);
      const bool below = static_cast<double>(count) < lane.target;
      (below ? lane.below : lane.reached) = lane.middle();
      (below ? lane.count_below : lane.count_reached) = count;
    }
  }
  // The last bin below the step that holds a sample is the bin of the largest of the smaller samples.
  for (std::size_t i = 0; i < kLanes; ++i)
    limits[i] = lanes[i].below < 0 ? std::uint16_t{0} : last_value(lanes[i].below, rule);
  largest_up_to(samples, frames, limits, counts);
  for (std::size_t i = 0; i < kLanes; ++i) {
    const Search& lane = lanes[i];
    std::int64_t bin = lane.reached;
    if (bin > 0 && lane.before_is_nearer())
      bin = lane.count_below == 0 ? 0 : std::min(counts[i] / rule.values_per_bin, rule.bins - 1);
    out[i] = static_cast<std::uint16_t>(bin);
  }
}

template <class Count>
std::uint16_t bin_of_counts(std::span<const Count> counts, const BinRule& rule) {
  std::int64_t total = 0;
  for (const Count count : counts) total += count;
  const double target = rule.percentile / 100 * static_cast<double>(total);
  std::int64_t sum = 0, before = 0;
  std::size_t bin_before = 0;
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    sum += counts[bin];
    if (static_cast<double>(sum) >= target) {
      const bool nearer = target - static_cast<double>(before) <= static_cast<double>(sum) - target;
      return static_cast<std::uint16_t>(bin > 0 && nearer ? bin_before : bin);
    }
    if (sum != before) bin_before = bin;
    before = sum;
  }
  return 0;
}

}  // namespace

void percentile_bins(const SampleBlock& block, const BinRule& rule, std::vector<std::uint16_t>& scratch,
                     std::uint16_t* out) {
  scratch.resize(static_cast<std::size_t>(block.frames * kPixelBlock));
  for (std::int64_t f = 0; f < block.frames; ++f)
    std::copy_n(block.data + f * block.stride, block.pixels, scratch.data() + f * kPixelBlock);
  std::array<std::uint16_t, kLanes> bins;
  for (std::int64_t i = 0; i < block.pixels; i += kLanes) {
    bins_of_lanes(scratch.data() + i, block.frames, rule, bins.data());
    std::copy_n(bins.data(), std::min(kLanes, block.pixels - i), out + i);
  }
}

std::uint16_t percentile_bin(std::span<const std::uint16_t> counts, const BinRule& rule) {
  return bin_of_counts(counts, rule);
}

std::uint16_t percentile_bin(std::span<const std::uint32_t> counts, const BinRule& rule) {
  return bin_of_counts(counts, rule);
}

}  // namespace spim::detail
