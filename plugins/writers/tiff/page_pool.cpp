#include "page_pool.hpp"

#include <algorithm>
#include <utility>

namespace spim::tiff {

PagePool::Held PagePool::take(std::int64_t number) {
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(idle_.begin(), idle_.end(), [&](const Held& held) { return held.number == number; });
    if (found != idle_.end()) {
      Held held = std::move(*found);
      idle_.erase(found);
      most_lent_ = std::max(most_lent_, ++lent_);
      return held;
    }
  }
  Held held{number, open_(number)};
  const std::lock_guard lock(mutex_);
  most_lent_ = std::max(most_lent_, ++lent_);
  return held;
}

void PagePool::give_back(Held held) {
  Held oldest;  // closed without the lock
  const std::lock_guard lock(mutex_);
  --lent_;
  idle_.push_back(std::move(held));
  if (idle_.size() > most_lent_) {
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

}  // namespace spim::tiff
