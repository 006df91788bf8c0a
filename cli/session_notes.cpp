#include "session_notes.hpp"

#include <algorithm>

namespace spim::cli {

namespace {

/// A report with more is not read.
constexpr std::size_t kMost = 1000;

template <class T>
void keep(std::vector<T>& all, const T& one) {
  if (all.size() < kMost && std::ranges::find(all, one) == all.end()) all.push_back(one);
}

}  // namespace

void SessionNotes::warn(std::string_view text) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    keep(warnings_, std::string(text));
  } catch (const std::exception&) {
    // It has been shown; not to be able to repeat it does not stop the work.
  }
}

void SessionNotes::add(const DroppedFrames& gap) {
  const std::lock_guard lock(mutex_);
  keep(dropped_, gap);
}

std::vector<std::string> SessionNotes::warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

std::vector<DroppedFrames> SessionNotes::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace spim::cli
