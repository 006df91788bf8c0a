#pragma once
/// Little-endian numbers at unaligned places of a file.

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "positional_file.hpp"

namespace spim::dcimg_reader {

static_assert(std::endian::native == std::endian::little, "numbers of the file are copied as they are");

/// The first bytes of a structure. What lies behind the end of the file is not there; the caller has made
/// sure of what it asks for.
template <std::size_t N>
class Fields {
 public:
  Fields(const PositionalFile& file, std::int64_t at, std::string_view subject)
      : got_(static_cast<std::int64_t>(file.read(at, bytes_.data(), N, subject))) {}

  std::int64_t got() const noexcept { return got_; }
  bool complete() const noexcept { return got_ == static_cast<std::int64_t>(N); }

  std::uint16_t u16(std::size_t at) const { return get<std::uint16_t>(at); }
  std::uint32_t u32(std::size_t at) const { return get<std::uint32_t>(at); }
  std::uint64_t u64(std::size_t at) const { return get<std::uint64_t>(at); }

  /// Text of at most `room` bytes, ended by NUL; characters that do not print become '?'.
  std::string text(std::size_t at, std::size_t room) const {
    std::string s;
    for (const std::uint8_t c : std::span(bytes_).subspan(at, room)) {
      if (c == 0) break;
      s.push_back(c >= 0x20 && c < 0x7F ? static_cast<char>(c) : '?');
    }
    return s;
  }

  bool begins_with(std::string_view text) const {
    return text.size() <= N && std::memcmp(bytes_.data(), text.data(), text.size()) == 0;
  }

 private:
  template <std::unsigned_integral T>
  T get(std::size_t at) const {
    T value;
    std::memcpy(&value, std::span(bytes_).subspan(at, sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::array<std::uint8_t, N> bytes_{};
  std::int64_t got_;
};

}  // namespace spim::dcimg_reader
