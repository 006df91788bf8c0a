#include "common/crc32c.hpp"

#include <fmt/format.h>

#include <cstring>

#include "common/little_endian.hpp"
#include "spim/crc32c.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

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

std::span<const std::byte> append_checksum(std::span<const std::byte> bytes, Scratch& scratch) {
  const std::size_t size = bytes.size() + sizeof(std::uint32_t);
  std::byte* const to = scratch.bytes(size);
  std::memcpy(to, bytes.data(), bytes.size());
  put_little(to + bytes.size(), crc32c(bytes));
  return {to, size};
}

}  // namespace spim::chunked
