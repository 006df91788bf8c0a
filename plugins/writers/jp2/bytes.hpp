#pragma once
/// Numbers of JPEG 2000 files: the most significant byte first, at any alignment.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace spim::jp2 {

/// The number of `count` ≤ 8 bytes at `at`, all of which lie in `bytes`.
inline std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (const std::byte b : bytes.subspan(at, count)) value = value << 8 | std::to_integer<std::uint64_t>(b);
  return value;
}

inline std::uint16_t u16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(number(bytes, at, 2));
}

inline std::uint32_t u32(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(number(bytes, at, 4));
}

/// Appends the lowest `count` ≤ 8 bytes of `value`.
inline void append(std::vector<std::byte>& to, std::uint64_t value, std::size_t count) {
  while (count-- > 0) to.push_back(static_cast<std::byte>(value >> 8 * count & 0xFF));
}

/// A type of box or brand as a number.
constexpr std::uint32_t tag(const char (&text)[5]) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(text[i]);
  return value;
}

}  // namespace spim::jp2
