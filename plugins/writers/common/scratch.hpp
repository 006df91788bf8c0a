#pragma once
/// Working memory that is kept from one chunk to the next.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace spim::chunked {

/// Uninitialised bytes, 64-byte aligned, that only grow. Use one `static thread_local` per purpose: a worker
/// then allocates once, not per chunk. [one thread]
class Scratch {
 public:
  /// At least `size` bytes; what they held before is lost when the memory had to grow.
  std::byte* bytes(std::size_t size) {
    if (size > capacity_) {
      memory_.reset();
      capacity_ = 0;
      const std::size_t rounded = (size + 63) / 64 * 64;
      memory_.reset(static_cast<std::byte*>(std::aligned_alloc(64, rounded)));
      if (!memory_) throw std::bad_alloc();
      capacity_ = rounded;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t capacity_ = 0;
};

}  // namespace spim::chunked
