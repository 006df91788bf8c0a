#pragma once
/// A file that is read by position.

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spim::dcimg_reader {

/// A regular file, open for reading. Nothing is shared between reads. [any thread]
class PositionalFile {
 public:
  /// Throws Error naming `path` when it cannot be opened or is not a regular file.
  explicit PositionalFile(std::string_view path);
  ~PositionalFile();
  PositionalFile(const PositionalFile&) = delete;
  PositionalFile& operator=(const PositionalFile&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::int64_t size() const noexcept { return opened_.st_size; }  ///< bytes, when it was opened

  /// Reads up to `size` bytes at `at` and returns how many there are; fewer only at the end of the file.
  /// `subject` ("frame 12") begins the Error thrown when the disk fails.
  std::size_t read(std::int64_t at, void* to, std::size_t size, std::string_view subject) const;

  /// Throws Error when the file is not the one that was opened any more: its size or time of change differ.
  void check_unchanged() const;

 private:
  std::string path_;
  int fd_ = -1;
  struct ::stat opened_ {};
};

}  // namespace spim::dcimg_reader
