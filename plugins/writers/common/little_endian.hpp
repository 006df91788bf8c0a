#pragma once
/// Unsigned numbers in the bytes of files.

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace spim::chunked {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

enum class ByteOrder { little, big };

/// The number of type T at `from`, little endian, wherever it lies.
template <class T>
T get_little(const std::byte* from) noexcept {
  T value{};
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Stores `value` at `to`, little endian.
template <class T>
void put_little(std::byte* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace spim::chunked
