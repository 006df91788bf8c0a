#pragma once
/// Output that appears whole or not at all.

#include <filesystem>
#include <span>
#include <vector>

namespace spim {

/// A file or folder that is written under a temporary name beside its final one. [one thread]
class Publication {
 public:
  /// Refuses (Error naming --overwrite) when `target` exists and is not an empty folder, unless `overwrite`;
  /// a target that is or holds the current folder or one of `inputs`, which the output is made from, is
  /// refused always, and so is a device, a pipe, and a folder that holds something else than an earlier
  /// output (no `info`, `.zattrs`, `.zgroup`, `zarr.json` or `truth/truth.json` in it and no
  /// `NAME.config.json` beside it). Creates missing parent folders and makes sure that something can be
  /// created there. Symbolic links are followed. The temporary name, `.NAME.partial-HOST-PID-TIME`, never
  /// meets that of another run.
  Publication(std::filesystem::path target, bool overwrite,
              std::span<const std::filesystem::path> inputs = {});
  /// Publishes what is made at `place`, beside the target, in the course of several runs: it stays where it
  /// is until commit(). Refuses as above.
  Publication(std::filesystem::path target, bool overwrite, std::span<const std::filesystem::path> inputs,
              std::filesystem::path place);
  /// Removes the temporary output, and parents that were created for it, unless commit() succeeded.
  ~Publication();
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  /// Where to write; does not exist yet.
  const std::filesystem::path& path() const noexcept { return temporary_; }

  /// Makes everything under path() durable, then gives it the final name (exchanging with an old output,
  /// which is removed afterwards). Throws Error; then the final name is as it was.
  void commit();

  /// The same for several at once, which waits for the disk less often than one after the other. When one
  /// fails, those before it have their final names, and that one and those behind it are as they were.
  static void commit_all(std::span<Publication* const> publications);

  /// Removes what processes of this machine that live no more left unfinished of `target`.
  static void remove_abandoned(const std::filesystem::path& target) noexcept;

  /// After commit(): where the old output still is because it could not be removed; empty otherwise.
  const std::filesystem::path& left_behind() const noexcept { return left_behind_; }

 private:
  void refuse_target(std::span<const std::filesystem::path> inputs) const;
  void create_parents();
  void probe_folder() const;
  void give_final_name();
  void take_final_name_back() noexcept;
  void settle() noexcept;

  std::filesystem::path shown_;   ///< the target as the user wrote it, for messages
  std::filesystem::path target_;  ///< absolute, links resolved
  std::filesystem::path temporary_;
  std::filesystem::path left_behind_;
  std::vector<std::filesystem::path> created_parents_;  ///< outermost first
  bool overwrite_;
  bool exchanged_ = false;  ///< the temporary name is that of the old output
  bool keeps_ = false;
  bool committed_ = false;
};

}  // namespace spim
