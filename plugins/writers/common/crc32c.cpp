#include "common/crc32c.hpp"

#include <fmt/format.h>
#include <nmmintrin.h>

#include <cstring>

#include "common/little_endian.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

// Every x86-64-v2 machine has the instruction.
std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept {
  std::uint64_t crc = 0xFFFFFFFF;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; at < bytes.size(); ++at) narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(bytes[at]));
  return ~narrow;
}

std::span<const std::byte> strip_checksums(std::span<const std::byte> bytes, int n,
                                           std::string_view subject) {
  for (; n > 0; --n) {
    constexpr std::size_t kChecksumBytes = 4;
    if (bytes.size() < kChecksumBytes)
      throw Error(fmt::format("{} of {} bytes has no room for a checksum", subject, bytes.size()));
    const auto body = bytes.first(bytes.size() - kChecksumBytes);
    const auto stored = get_little<std::uint32_t>(body.data() + body.size());
    const std::uint32_t computed = crc32c(body);
    if (stored != computed)
      throw Error(
          fmt::format("{} has the checksum {:08x} where its bytes give {:08x}", subject, stored, computed));
    bytes = body;
  }
  return bytes;
}

}  // namespace spim::chunked
