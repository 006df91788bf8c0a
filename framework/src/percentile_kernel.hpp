#pragma once
/// The percentile bin of one pixel after the other: from its samples, or from its histogram.

#include <cstdint>
#include <span>
#include <vector>

namespace spim::detail {

/// What bins mean. See PercentileImage for the rule.
struct BinRule {
  double percentile = 95;
  std::int64_t bins = 1024;
  std::int64_t values_per_bin = 4;
  std::int64_t background = 150;
};

/// Pixels that are worked on together: their samples of some hundred frames stay in the second-level cache.
inline constexpr std::int64_t kPixelBlock = 128;

/// Samples of up to kPixelBlock pixels: sample f of pixel i stands at data[f · stride + i].
struct SampleBlock {
  const std::uint16_t* data = nullptr;
  std::int64_t stride = 0;
  std::int64_t frames = 0;  ///< at most 65535
  std::int64_t pixels = 0;
};

/// Writes the bins of the pixels of `block`. `scratch` grows to frames · kPixelBlock samples and is reused.
void percentile_bins(const SampleBlock& block, const BinRule& rule, std::vector<std::uint16_t>& scratch,
                     std::uint16_t* out);

/// The bin of one pixel, from the counts of its bins.
std::uint16_t percentile_bin(std::span<const std::uint16_t> counts, const BinRule& rule);
std::uint16_t percentile_bin(std::span<const std::uint32_t> counts, const BinRule& rule);

}  // namespace spim::detail
