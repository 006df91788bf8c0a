#pragma once
/// Random numbers without a generator: every number is a function of what it belongs to, so that nothing
/// depends on the order or the thread in which things are computed.

#include <cstdint>

namespace spim {

inline constexpr std::uint64_t kGoldenStep = 0x9e3779b97f4a7c15ULL;  ///< 2^64 / golden ratio, odd

/// Scrambles 64 bits so that neighbouring inputs give unrelated outputs (Stafford's variant 13 of the
/// MurmurHash3 finaliser, as in SplitMix64).
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// The key of the thing called `index` inside the thing with key `key`.
constexpr std::uint64_t subkey(std::uint64_t key, std::int64_t index) noexcept {
  return mix(key ^ (static_cast<std::uint64_t>(index) * kGoldenStep + kGoldenStep));
}

/// The key of a point of a three-dimensional grid.
constexpr std::uint64_t grid_key(std::uint64_t key, std::int64_t x, std::int64_t y, std::int64_t z) noexcept {
  const std::uint64_t h = key ^ static_cast<std::uint64_t>(x) * 0x8cb92ba72f3d8dd7ULL ^
                          static_cast<std::uint64_t>(y) * 0xd6e8feb86659fd93ULL ^
                          static_cast<std::uint64_t>(z) * 0xa0761d6478bd642fULL;
  return mix(h + kGoldenStep);
}

/// Uniform in [0, 1), from the upper 53 bits.
constexpr double unit_double(std::uint64_t bits) noexcept {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

/// Uniform in [0, 1), from the upper 24 bits.
constexpr float unit_float(std::uint64_t bits) noexcept {
  return static_cast<float>(bits >> 40) * 0x1p-24F;
}

/// A short sequence of numbers that belong to one key.
class Draw {
 public:
  explicit constexpr Draw(std::uint64_t key) noexcept : key_(key) {}
  /// The next number, uniform in [0, 1).
  constexpr double uniform() noexcept { return unit_double(mix(key_ += kGoldenStep)); }
  /// The next number, uniform in [low, high).
  constexpr double between(double low, double high) noexcept { return low + (high - low) * uniform(); }
  /// Where the sequence is: the key of whatever belongs to this point of it.
  constexpr std::uint64_t key() const noexcept { return key_; }

 private:
  std::uint64_t key_;
};

}  // namespace spim
