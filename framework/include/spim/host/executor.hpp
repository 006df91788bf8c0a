#pragma once
/// Threads: one team, owned by the host.

#include <atomic>
#include <cstdint>
#include <functional>

#include "spim/error.hpp"

namespace spim {

/// Thrown by whatever notices that the user asked to stop. Commands end with exit code 130.
struct Cancelled : Error {
  Cancelled() : Error("interrupted") {}
};

/// A request to stop, set from a signal handler or another thread.
class CancelToken {
 public:
  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }
  void check() const {
    if (requested()) throw Cancelled();
  }

 private:
  std::atomic<bool> requested_{false};
};

/// Runs loops on `workers` threads (an OpenMP team with an explicit size).
class Executor {
 public:
  /// `workers` ≥ 1; 0 means one per core this process may use.
  explicit Executor(int workers, const CancelToken& cancel);

  int workers() const noexcept { return workers_; }
  const CancelToken& cancel() const noexcept { return *cancel_; }

  /// Calls body(i, worker) for each i in [0, count), handed out one by one in rising order; worker is in
  /// [0, workers()). An exception stops the rest and is rethrown here, as is Cancelled when the token is set;
  /// of several the one of the lowest index is, whatever the number of workers. Inside a body the loop runs
  /// on the calling thread alone (with the same worker number).
  void parallel_for(std::int64_t count,
                    const std::function<void(std::int64_t index, int worker)>& body) const;

 private:
  int workers_;
  const CancelToken* cancel_;
};

}  // namespace spim
