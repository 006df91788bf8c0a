#pragma once
/// Whether two names are those of one file.

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <utility>

namespace spim {

/// Device and inode: the same for all names of a file.
using FileId = std::pair<dev_t, ino_t>;

/// Follows symbolic links; nothing when there is no such file or it cannot be looked at. [any thread]
inline std::optional<FileId> file_id(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

}  // namespace spim
