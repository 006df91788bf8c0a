#pragma once
/// The checksum CRC-32C (Castagnoli, RFC 3720 appendix B.4): of stored files, of Zarr's codec "crc32c".

#include <cstddef>
#include <cstdint>

namespace spim {

namespace detail {

/// The remainder of each byte, least bit first.
struct Crc32cTable {
  std::uint32_t of[256] = {};

  constexpr Crc32cTable() noexcept {
    constexpr std::uint32_t kPolynomial = 0x82F63B78;
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
      of[i] = crc;
    }
  }
};
inline constexpr Crc32cTable kCrc32cRemainders;

/// For machines without an instruction for it: about 0.4 GB/s.
inline std::uint32_t crc32c_by_table(const std::byte* bytes, std::size_t count,
                                     std::uint32_t before) noexcept {
  std::uint32_t crc = ~before;
  for (std::size_t i = 0; i < count; ++i)
    crc = (crc >> 8) ^ kCrc32cRemainders.of[(crc ^ static_cast<std::uint32_t>(bytes[i])) & 0xFF];
  return ~crc;
}

#if defined(__x86_64__)
/// The instruction is part of x86-64-v2, which every x86-64 machine must have here; three cycles for eight
/// bytes. By its built-in function, since headers for plugins include little.
__attribute__((target("sse4.2"))) inline std::uint32_t crc32c_by_instruction(const std::byte* bytes,
                                                                             std::size_t count,
                                                                             std::uint32_t before) noexcept {
  std::uint64_t crc = ~before;
  for (; count >= sizeof(std::uint64_t); count -= sizeof(std::uint64_t), bytes += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, bytes, sizeof word);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto rest = static_cast<std::uint32_t>(crc);
  for (std::size_t i = 0; i < count; ++i)
    rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(bytes[i]));
  return ~rest;
}
#endif

}  // namespace detail

/// CRC-32C of `count` bytes, going on from that of the bytes before; of none it is 0. [any thread]
inline std::uint32_t crc32c(const std::byte* bytes, std::size_t count, std::uint32_t before = 0) noexcept {
#if defined(__x86_64__)
  return detail::crc32c_by_instruction(bytes, count, before);
#else
  return detail::crc32c_by_table(bytes, count, before);
#endif
}

/// The same of anything that has data() and size() in bytes.
template <class Bytes>
requires requires(const Bytes& bytes) {
  static_cast<const std::byte*>(bytes.data());
}
std::uint32_t crc32c(const Bytes& bytes, std::uint32_t before = 0) noexcept {
  return crc32c(bytes.data(), bytes.size(), before);
}

}  // namespace spim
