#pragma once
/// What is remembered of a run that writes many files, so that it can be gone on with.

#include <filesystem>
#include <string>

#include "spim/host/config.hpp"

namespace spim::cli {

/// The configuration that stands beside the files of a series, from before the first one is written.
class EarlierRun {
 public:
  /// Of the series whose files are named by `pattern`.
  explicit EarlierRun(const std::string& pattern);

  /// True when an earlier run was made as `now` says, so that its files are what this run would write; false
  /// when nothing is known of one. Throws UsageError naming the first option that differs.
  bool was_alike(const Configuration& now) const;

  /// Whether `file` was written after the run began: what is older is left of a run before it, of which
  /// nothing is known any more.
  bool is_followed_by(const std::filesystem::path& file) const;

  /// Writes `now` for a later run, creating folders. Throws Error.
  void remember(const Configuration& now) const;

 private:
  std::filesystem::path file_;
};

}  // namespace spim::cli
