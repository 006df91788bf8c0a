#include <algorithm>
#include <numeric>
#include <vector>

#include "spim/host/illumination.hpp"

namespace spim {

namespace {

/// Half of the smoothing window. Noise of a camera is some grey levels wide.
constexpr std::size_t kSmooth = 2;
/// How far a higher level may be for the peak to be its.
constexpr std::size_t kLookAhead = 12;
/// Width at half height of the widest peak that noise alone makes: a read noise of 17 grey levels. Tissue,
/// which varies and has shot noise, is wider.
constexpr std::size_t kWidest = 40;
/// Shares of the samples: fewer are odd pixels, not the darkest part of the frames; a peak holds more.
constexpr double kOdd = 0.001, kPeakShare = 0.01;

}  // namespace

std::optional<double> unlit_level(std::span<const std::uint64_t> levels) {
  const std::uint64_t total = std::accumulate(levels.begin(), levels.end(), std::uint64_t{0});
  if (total == 0) return std::nullopt;
  const std::size_t count = levels.size();
  std::vector<std::uint64_t> smooth(count);
  for (std::size_t v = 0; v < count; ++v)
    for (std::size_t n = v < kSmooth ? 0 : v - kSmooth; n <= std::min(v + kSmooth, count - 1); ++n)
      smooth[v] += levels[n];

  std::size_t peak = 0;
  for (std::uint64_t below = 0; peak + 1 < count; ++peak) {
    below += levels[peak];
    if (static_cast<double>(below) >= kOdd * static_cast<double>(total)) break;
  }
  for (std::size_t v = peak + 1; v < count && v <= peak + kLookAhead; ++v)
    if (smooth[v] > smooth[peak]) peak = v;  // and look ahead from there

  std::size_t first = peak, last = peak;
  while (first > 0 && 2 * smooth[first - 1] >= smooth[peak]) --first;
  while (last + 1 < count && 2 * smooth[last + 1] >= smooth[peak]) ++last;
  if (last - first + 1 > kWidest) return std::nullopt;
  double samples = 0, sum = 0;
  for (std::size_t v = first; v <= last; ++v) {
    samples += static_cast<double>(levels[v]);
    sum += static_cast<double>(levels[v]) * static_cast<double>(v);
  }
  if (samples < kPeakShare * static_cast<double>(total)) return std::nullopt;
  return sum / samples;
}

}  // namespace spim
