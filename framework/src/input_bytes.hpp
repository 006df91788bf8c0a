#pragma once
/// Bytes of a file that somebody else may be writing, with words for when they cannot be read.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace spim::detail {

/// A regular file that is open for reading.
class InputBytes {
 public:
  /// Throws Error.
  explicit InputBytes(const std::filesystem::path& path);
  ~InputBytes();
  InputBytes(const InputBytes&) = delete;
  InputBytes& operator=(const InputBytes&) = delete;

  /// Reads from `offset` on until `to` is full or the file ends, and returns what is filled. Throws Error.
  std::span<const std::byte> read(std::int64_t offset, std::span<std::byte> to) const;

 private:
  std::filesystem::path path_;
  int number_;
};

/// All of a file; nothing when there is none. Throws Error when it is there and cannot be read.
std::optional<std::string> text_if_exists(const std::filesystem::path& path);

}  // namespace spim::detail
