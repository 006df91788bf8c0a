#pragma once
/// What is known of an unfinished run: its plan, the tasks that are done, and the output as far as it is
/// there.
///
///     OUTPUT.run/plan.json         what is done with what: never changed once it is there
///     OUTPUT.run/layout.json       how the volume is cut into tasks; likewise
///     OUTPUT.run/ledger/TASK.json  one file for each task that is done: what it wrote, with checksums
///     OUTPUT.run/output            the volume, which gets its final name at the end
///     OUTPUT.run/lock              held by a run that works alone, or shared by those that do parts

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spim/host/executor.hpp"
#include "spim/host/file_checksum.hpp"

namespace spim {

/// A file that a task wrote.
struct StoredFile {
  std::string path;  ///< absolute, or relative to the output
  FileSum sum;

  friend bool operator==(const StoredFile&, const StoredFile&) = default;
};

/// A task that is done.
struct LedgerEntry {
  std::string task;
  std::vector<StoredFile> files;
  double seconds = 0;  ///< from its first chunk to its last; tasks of one process overlap
  std::string by;      ///< host, process and time of who did it
  std::map<std::string, std::string> notes;  ///< what later phases or the report want to know

  std::int64_t bytes() const noexcept;
};

class RunFolder {
 public:
  /// Of the output `target`, whose links are resolved. Touches nothing.
  explicit RunFolder(const std::filesystem::path& target);

  const std::filesystem::path& path() const noexcept { return path_; }
  /// The unfinished output.
  std::filesystem::path content() const { return path_ / "output"; }
  bool exists() const;
  /// Whether there is a folder of ours without a plan: of a repair, or of a run that ended as it began.
  bool is_remnant() const;

  /// Creates the folder durably, and those above it. One that is there already is fine.
  void create() const;
  /// Forgets everything but the lock: the next run begins at the beginning.
  void clear() const;
  /// Removes what parts of the output left unfinished (VolumeWriter::join) when nobody works on it.
  void remove_unfinished() const;
  /// Removes everything, durably.
  void remove() const;

  /// The text of `name`, if it is there. Throws Error when it cannot be read.
  std::optional<std::string> document(std::string_view name) const;
  /// Removes a document, and forces that to the disk.
  void drop(std::string_view name) const;
  /// Writes `name` durably unless it is there. Returns what is there then: who comes first decides.
  std::string settle(std::string_view name, std::string_view text) const;

  bool done(std::string_view task) const;
  /// Nothing when the task is not done, or its entry is damaged.
  std::optional<LedgerEntry> entry(std::string_view task) const;
  /// Writes the entry durably, in place of an older one.
  void record(const LedgerEntry& entry) const;
  /// The task has to be done again.
  void forget(std::string_view task) const;
  /// Names of the tasks that are done, sorted.
  std::vector<std::string> done_tasks() const;

  /// The first file of `entry` that is missing or not as it was written; empty when all are there.
  std::string damaged_file(const LedgerEntry& entry, const Executor& executor) const;
  /// The same, looking at the lengths only.
  std::string missing_file(const LedgerEntry& entry) const;

 private:
  std::filesystem::path ledger(std::string_view task) const;

  std::filesystem::path path_;
};

/// Length and checksum of files below `root`, which are forced to the disk first. Throws Error.
std::vector<StoredFile> secure_files(const std::filesystem::path& root, std::vector<std::string> files);

/// All regular files below the folder `root`, relative to it, sorted; "" when `root` is a file itself. Throws
/// Error.
std::vector<std::string> files_below(const std::filesystem::path& root);

/// Where a stored file is: `path` is absolute or relative to `root`; "" is `root` itself.
std::filesystem::path stored_place(const std::filesystem::path& root, const std::string& path);

/// Writes `file` under another name, forces it to the disk and gives it the name. Throws Error.
void replace_text_durably(const std::filesystem::path& file, std::string_view text);

/// "HOST-PROCESS-TIME-N": never twice, on any machine. [any thread]
std::string unique_token();

}  // namespace spim
