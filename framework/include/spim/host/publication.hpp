#pragma once
/// Output that appears whole or not at all.

#include <filesystem>

namespace spim {

/// A file or folder that is written under a temporary name beside its final one.
class Publication {
 public:
  /// Refuses (Error naming --overwrite) when `target` exists and is not an empty folder, unless `overwrite`.
  /// Creates missing parent folders. The temporary name holds host, process and time, so that two runs never
  /// meet.
  Publication(std::filesystem::path target, bool overwrite);
  /// Removes the temporary output unless commit() succeeded.
  ~Publication();
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  /// Where to write; does not exist yet.
  const std::filesystem::path& path() const noexcept { return temporary_; }

  /// Makes everything under path() durable, then gives it the final name (exchanging with an old output,
  /// which is removed afterwards). Throws Error; then the final name is as it was.
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool overwrite_;
  bool committed_ = false;
};

}  // namespace spim
