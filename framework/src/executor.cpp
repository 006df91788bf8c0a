#include "spim/host/executor.hpp"

#include <omp.h>

#include <exception>
#include <mutex>

namespace spim {

Executor::Executor(int workers, const CancelToken& cancel)
    : workers_(workers > 0 ? workers : omp_get_num_procs()), cancel_(&cancel) {}

namespace {
/// Which worker this thread is while it runs a body; -1 outside. A nested loop runs on its caller.
thread_local int current_worker = -1;
}  // namespace

void Executor::parallel_for(std::int64_t count,
                            const std::function<void(std::int64_t index, int worker)>& body) const {
  cancel_->check();
  if (current_worker >= 0 || workers_ == 1 || count <= 1) {
    const int outer = current_worker;
    const int worker = outer >= 0 ? outer : 0;
    struct Restore {
      int value;
      ~Restore() { current_worker = value; }
    } restore{outer};
    current_worker = worker;
    for (std::int64_t i = 0; i < count; ++i) {
      cancel_->check();
      body(i, worker);
    }
    return;
  }
  // An exception must not leave the OpenMP region: the rest of the loop is skipped. Everything below a
  // failing index has been handed out before it, so the lowest failure is the same one for any number of
  // workers.
  std::exception_ptr lowest;
  std::int64_t lowest_index = count;
  std::mutex mutex;
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> next{0};
#pragma omp parallel num_threads(workers_)
  {
    const int worker = omp_get_thread_num();
    current_worker = worker;
    std::int64_t i = 0;
    try {
      while (!stop.load(std::memory_order_relaxed)) {
        i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= count) break;
        cancel_->check();
        body(i, worker);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (i < lowest_index) {
        lowest = std::current_exception();
        lowest_index = i;
      }
      stop.store(true, std::memory_order_relaxed);
    }
    current_worker = -1;
  }
  if (lowest) std::rethrow_exception(lowest);
}

}  // namespace spim
