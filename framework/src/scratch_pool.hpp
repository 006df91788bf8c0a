#pragma once
/// Buffers that calls borrow for their own duration.

#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace spim::detail {

/// Buffers of `count` samples, as many as there are threads in calls at the same time, kept for the next
/// calls.
template <class T>
class ScratchPool {
  struct Free {
    void operator()(T* p) const noexcept { ::operator delete (p, std::align_val_t{64}); }
  };
  using Buffer = std::unique_ptr<T, Free>;

 public:
  explicit ScratchPool(std::size_t count) : count_(count) {}

  /// A buffer until the end of the scope. Not initialised.
  class Lease {
   public:
    explicit Lease(ScratchPool& pool) : pool_(&pool), buffer_(pool.take()) {}
    ~Lease() { pool_->give_back(std::move(buffer_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    T* data() const noexcept { return buffer_.get(); }

   private:
    ScratchPool* pool_;
    Buffer buffer_;
  };

 private:
  Buffer take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      idle_.reserve(++made_);  // so that giving back cannot fail
      return Buffer(static_cast<T*>(::operator new (count_ * sizeof(T), std::align_val_t{64})));
    }
    Buffer buffer = std::move(idle_.back());
    idle_.pop_back();
    return buffer;
  }

  void give_back(Buffer buffer) noexcept {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(buffer));
  }

  std::size_t count_;
  std::size_t made_ = 0;
  std::mutex mutex_;
  std::vector<Buffer> idle_;
};

}  // namespace spim::detail
