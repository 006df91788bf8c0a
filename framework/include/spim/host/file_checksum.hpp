#pragma once
/// Checksums of files.

#include <cstdint>
#include <filesystem>

namespace spim {

/// Length and CRC-32C of a file.
struct FileSum {
  std::int64_t bytes = 0;
  std::uint32_t crc = 0;

  friend bool operator==(const FileSum&, const FileSum&) = default;
};

/// Reads a regular file. Throws Error naming it.
FileSum file_sum(const std::filesystem::path& file);

}  // namespace spim
