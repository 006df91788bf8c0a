#pragma once
/// The checksum CRC-32C (Castagnoli, RFC 3720 appendix B.4) of Zarr's codec "crc32c".

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace spim::chunked {

/// CRC-32C of `bytes`; of none it is 0. [any thread]
std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept;

/// `bytes` without the `n` checksums (little endian, each of all bytes in front of it) at their end. Throws
/// Error that begins with `subject` unless they are right.
std::span<const std::byte> strip_checksums(std::span<const std::byte> bytes, int n, std::string_view subject);

}  // namespace spim::chunked
