#pragma once
/// Files of an output that several processes write together: each appears whole, by renaming.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spim/volume_writer.hpp"

namespace spim::chunked {

/// Gives the finished file `unfinished` the name `place`, in place of what is there.
void put_in_place(const std::filesystem::path& unfinished, const std::filesystem::path& place);

/// A folder for files that are being written, which goes with all that is still in it.
class UnfinishedFolder {
 public:
  /// Creates it where it is missing.
  explicit UnfinishedFolder(std::filesystem::path path);
  ~UnfinishedFolder();
  UnfinishedFolder(const UnfinishedFolder&) = delete;
  UnfinishedFolder& operator=(const UnfinishedFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// The files of one part below `root`, written in `root/.part-TOKEN` first. [any thread]
class PartFiles {
 public:
  /// Creates both folders where they are missing.
  PartFiles(std::filesystem::path root, const PartName& part);

  /// A name that nobody else uses, in the folder of unfinished files.
  std::filesystem::path unfinished();
  /// Gives the file `unfinished`, which is whole, the name `path`, relative to the root, in place of what is
  /// there; folders are created.
  void put(const std::filesystem::path& unfinished, const std::string& path);
  /// Stores `bytes` as `path` in the same way.
  void store(const std::string& path, std::span<const std::byte> bytes);

  const std::filesystem::path& root() const noexcept { return root_; }

  /// Names everything that was stored. [one thread]
  void finish(FileSink& files);

 private:
  std::filesystem::path root_;
  UnfinishedFolder unfinished_;
  std::atomic<std::int64_t> names_{0};
  std::mutex mutex_;  ///< of stored_
  std::vector<std::string> stored_;
};

/// Removes the folders of unfinished files of all parts, whatever became of them.
void remove_unfinished_parts(const std::filesystem::path& root);

/// Stores `text` as `path` by renaming, whether or not there is one already.
void replace_text(const std::filesystem::path& path, std::string_view text);

}  // namespace spim::chunked
