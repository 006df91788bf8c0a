#include "common/block_pool.hpp"

#include <sys/mman.h>

#include <new>

namespace spim::chunked {

std::byte* BlockPool::take() {
  const std::lock_guard lock(mutex_);
  if (!unused_.empty()) {
    std::byte* const block = unused_.back();
    unused_.pop_back();
    return block;
  }
  if (left_ <= 0) return nullptr;
  all_.emplace_back(static_cast<std::byte*>(std::aligned_alloc(kBlockBytes, kBlockBytes)));
  if (!all_.back()) {
    all_.pop_back();
    throw std::bad_alloc();
  }
  unused_.reserve(all_.size());  // so that giving back cannot fail
  --left_;
  ::madvise(all_.back().get(), kBlockBytes, MADV_HUGEPAGE);  // a wish
  return all_.back().get();
}

void BlockPool::give_back(std::byte* block) {
  const std::lock_guard lock(mutex_);
  unused_.push_back(block);
}

void BlockPool::trim() {
  const std::lock_guard lock(mutex_);
  if (unused_.size() < all_.size()) return;
  left_ += static_cast<std::int64_t>(all_.size());
  unused_.clear();
  all_.clear();
}

}  // namespace spim::chunked
