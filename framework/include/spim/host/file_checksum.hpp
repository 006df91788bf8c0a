#pragma once
/// Checksums of files.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace spim {

/// CRC-32C (Castagnoli) of `bytes`, going on from that of the bytes before.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// Length and CRC-32C of a file.
struct FileSum {
  std::int64_t bytes = 0;
  std::uint32_t crc = 0;

  friend bool operator==(const FileSum&, const FileSum&) = default;
};

/// Reads a regular file. Throws Error naming it.
FileSum file_sum(const std::filesystem::path& file);

}  // namespace spim
