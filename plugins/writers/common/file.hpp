#pragma once
/// Files by descriptor, read and written by position. Every failure is an Error that names the file and the
/// system's reason.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spim::chunked {

/// An open file. Reads and writes by position may run on any number of threads at once.
class File {
 public:
  /// Opens a regular file for reading; nothing when there is none. A pipe, device or folder of that name is
  /// an error, never a wait.
  static std::optional<File> open_if_exists(const std::filesystem::path& path);
  /// The same; that there is none is an error.
  static File open(const std::filesystem::path& path);
  /// Creates a file that must not exist yet, for writing.
  static File create(const std::filesystem::path& path);
  /// Opens a file that exists, for reading and writing.
  static File reopen(const std::filesystem::path& path);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  std::uint64_t size() const;
  /// Fills `to` from `offset` on; a file that ends before is an error.
  void read(std::uint64_t offset, std::span<std::byte> to) const;
  void write(std::uint64_t offset, std::span<const std::byte> from) const;
  /// Lets the system write to the disk what was written, without waiting for it: a later sync() then has less
  /// to do.
  void begin_sync() const noexcept;
  /// Waits until what was written is on the disk.
  void sync() const;
  /// Sets the length; new bytes are zero and take no space.
  void resize(std::uint64_t size) const;
  /// Reports what the system could not store, which the destructor cannot.
  void close();

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  File(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}
  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// The whole of a file of at most `limit` bytes.
std::string read_text(const File& file, std::uint64_t limit);

/// Creates `path` (which must not exist) holding `text`.
void write_text(const std::filesystem::path& path, std::string_view text);

/// A name beside `path` that no other instance, process or machine uses: `.NAME.partial-HOST-PID-TIME-N`.
std::filesystem::path partial_name(const std::filesystem::path& path);

/// Gives the finished file `partial` its final name, whatever had that name before.
void publish_file(const std::filesystem::path& partial, const std::filesystem::path& path);

/// The same unless something has that name already: then false, and nothing is done.
bool publish_new_file(const std::filesystem::path& partial, const std::filesystem::path& path);

/// Creates the file `path` holding `bytes`, and the folders above it. It is written under a partial_name()
/// and renamed, so that nobody ever sees a part of it and writing it twice at once does no harm.
void write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Creates a folder; its parent must exist. That the folder is there already is an error.
void create_folder(const std::filesystem::path& path);

/// Creates a folder and those above it; one that is there already is fine.
void create_folders(const std::filesystem::path& path);

/// Whether `path` is a regular file; that this cannot be found out (no permission) is an error.
bool is_file(const std::filesystem::path& path);

inline std::span<const std::byte> bytes_of_text(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace spim::chunked
