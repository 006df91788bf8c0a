#pragma once
/// Checksums of files.

#include <cstdint>
#include <filesystem>

namespace spim {

/// Length and checksum of a file: the CRC-32C of its bytes as 64-bit words (little endian, the last one
/// padded with zeros), each multiplied by 0x9E3779B97F4A7C15 modulo 2^64. A CRC-32C of the bytes themselves
/// would not tell files apart that hold CRC-32Cs of their own parts, as chunks of Zarr v3 do: it is the same
/// for all of one length, because a CRC is linear. Multiplication is not.
struct FileSum {
  std::int64_t bytes = 0;
  std::uint32_t crc = 0;

  friend bool operator==(const FileSum&, const FileSum&) = default;
};

/// Reads a regular file. Throws Error naming it.
FileSum file_sum(const std::filesystem::path& file);

}  // namespace spim
