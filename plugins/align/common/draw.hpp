#pragma once
/// Random numbers that are a function of what they are for, so that no result depends on threads.

#include <cstdint>

namespace spim::alignment {

/// A short sequence of numbers that belongs to one seed and one index (SplitMix64).
class Draw {
 public:
  constexpr Draw(std::uint64_t seed, std::int64_t index) noexcept
      : state_(mix(seed + kStep) ^ mix(static_cast<std::uint64_t>(index) * kStep + 1)) {}

  /// Uniform in [0, 1).
  constexpr double uniform() noexcept { return static_cast<double>(mix(state_ += kStep) >> 11) * 0x1p-53; }
  /// Uniform in [0, n); n ≥ 1.
  constexpr std::int64_t below(std::int64_t n) noexcept {
    const auto i = static_cast<std::int64_t>(uniform() * static_cast<double>(n));
    return i < n ? i : n - 1;
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ULL;

  static constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }

  std::uint64_t state_;
};

}  // namespace spim::alignment
