#pragma once
/// What a computer is, for people who compare runs.

#include <cstdint>
#include <filesystem>
#include <string>

namespace spim::cli {

struct Machine {
  std::string host;
  std::string cpu;     ///< model; "" where the system does not say
  std::string kernel;  ///< name and release
  int cores = 0;       ///< that this process may use
  std::int64_t memory_bytes = 0;
};

/// The computer that this process runs on.
Machine this_machine();

/// Where a file is.
struct FileSystem {
  std::string type;   ///< "ext4", "nfs4" …; "" when the system does not say
  std::string mount;  ///< folder that it begins at
};

/// The file system of `path`, or of the nearest folder above it that exists.
FileSystem file_system_of(const std::filesystem::path& path);

/// The nearest folder above `path` that exists; `path` itself when it is one.
std::filesystem::path existing_folder(const std::filesystem::path& path);

}  // namespace spim::cli
