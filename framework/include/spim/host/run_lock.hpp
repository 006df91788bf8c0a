#pragma once
/// Keeps two runs from one output.

#include <filesystem>

namespace spim {

/// Who else may work on the run.
enum class RunSharing {
  alone,    ///< nobody
  together  ///< others that do parts of it
};

/// Holds OUTPUT.run/lock until it is destroyed. The system releases it when the process dies, however it
/// does, so that a lock is never left behind.
class RunLock {
 public:
  /// `folder` exists. Throws Error naming host and process of who holds it.
  RunLock(const std::filesystem::path& folder, RunSharing sharing);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// False where the file system knows no locks, so that nobody is kept out.
  bool holds() const noexcept { return holds_; }

 private:
  int file_ = -1;
  bool holds_ = false;
};

}  // namespace spim
