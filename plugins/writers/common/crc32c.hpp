#pragma once
/// Checksums of Zarr's codec "crc32c" as they are stored.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/scratch.hpp"

namespace spim::chunked {

/// `bytes` without the `n` checksums (little endian, each of all bytes in front of it) at their end. Throws
/// Error that begins with `subject` unless they are right.
std::span<const std::byte> strip_checksums(std::span<const std::byte> bytes, int n, std::string_view subject);

/// `bytes` with their checksum behind them, in `scratch`.
std::span<const std::byte> append_checksum(std::span<const std::byte> bytes, Scratch& scratch);

}  // namespace spim::chunked
