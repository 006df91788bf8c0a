#include "frame_window.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace spim::detail {

namespace {

constexpr std::int64_t kBlock = BlockedView::kRows;

/// The same sample of neighbouring frames must not fall into the same set of the cache, as it would when
/// frames are a power of two apart: each buffer is two lines further in its pages than the one before.
std::int64_t pitch_of(IndexRange z, IndexRange y) {
  return (ceil_div(y.size(), kBlock) * z.size() * kBlock * 2 + 4095) / 4096 * 4096 + 128;
}

}  // namespace

std::int64_t FrameWindow::bytes(const StackPart& part) noexcept {
  return part.empty() ? 0 : part.frames.size() * pitch_of(part.z, part.y);
}

BlockedView FrameWindow::view(const Buffer& buffer) const noexcept {
  auto* const data = reinterpret_cast<std::uint16_t*>(arenas_[buffer.arena].data() + buffer.offset);
  return {data, part_.z.size(), part_.y.size(), part_.z.size() * kBlock};
}

void FrameWindow::release(Buffer& buffer) const noexcept {
  if (std::exchange(buffer.touched, false)) arenas_[buffer.arena].release(buffer.offset, pitch_);
}

bool FrameWindow::holds(std::int64_t frame, const StackPart& part) const noexcept {
  if (frame < part_.frames.begin || frame >= part_.frames.end || part.z.begin < part_.z.begin ||
      part.z.end > part_.z.end || part.y.begin < part_.y.begin || part.y.end > part_.y.end)
    return false;
  Held& held = held_[static_cast<std::size_t>(frame - part_.frames.begin)];
  return std::atomic_ref(held.loaded).load(std::memory_order_acquire);
}

FrameSlice FrameWindow::at(std::int64_t frame, std::int64_t z, std::int64_t y) const noexcept {
  const BlockedView all = view(held_[static_cast<std::size_t>(frame - part_.frames.begin)].buffer);
  return {all.row(z - part_.z.begin, (block_begin(y) - part_.y.begin) / kBlock), all.block_stride};
}

void FrameWindow::clear() noexcept {
  part_ = {};
  held_.clear();
  missing_.clear();
  free_.clear();
  arenas_.clear();
}

/// Those that were written before come first: their memory is there already.
std::vector<FrameWindow::Buffer> FrameWindow::take_buffers(std::size_t count) {
  if (free_.size() < count) {
    // Frames at the end of a step come and go by one; address space costs nothing.
    constexpr std::size_t kFewest = 16;
    const std::size_t more = std::max(count - free_.size(), kFewest);
    constexpr std::int64_t kOften = 4;  // so many frames go through a buffer
    const bool often = source_->shape().frames >= kOften * part_.frames.size();
    arenas_.emplace_back(static_cast<std::int64_t>(more) * pitch_, often ? Pages::huge : Pages::usual);
    for (std::size_t i = 0; i < more; ++i)
      free_.push_back({arenas_.size() - 1, static_cast<std::int64_t>(i) * pitch_});
  }
  std::stable_partition(free_.begin(), free_.end(), [](const Buffer& b) { return b.touched; });
  const auto end = free_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Buffer> taken(free_.begin(), end);
  free_.erase(free_.begin(), end);
  return taken;
}

std::int64_t FrameWindow::move_to(const StackPart& part) {
  if (part.empty() || part.z != part_.z || part.y != part_.y) clear();
  missing_.clear();
  if (part.empty()) return 0;
  if (part_.empty()) pitch_ = pitch_of(part.z, part.y);

  std::vector<Held> next(static_cast<std::size_t>(part.frames.size()));
  for (std::int64_t f = part.frames.begin; f < part.frames.end; ++f) {
    const bool kept = f >= part_.frames.begin && f < part_.frames.end && held(f).loaded;
    if (kept)
      next[static_cast<std::size_t>(f - part.frames.begin)] = std::exchange(held(f), {});
    else
      missing_.push_back(f);
  }
  for (const Held& old : held_)
    if (old.buffer.touched) free_.push_back(old.buffer);
  part_ = part;
  held_ = std::move(next);
  try {
    const std::vector<Buffer> buffers = take_buffers(missing_.size());
    for (std::size_t i = 0; i < missing_.size(); ++i) {
      held(missing_[i]).buffer = buffers[i];
      held(missing_[i]).buffer.touched = true;
    }
  } catch (...) {
    clear();
    throw;
  }
  for (Buffer& buffer : free_) release(buffer);
  return static_cast<std::int64_t>(missing_.size());
}

void FrameWindow::load(std::int64_t i) {
  const std::int64_t frame = missing_[static_cast<std::size_t>(i)];
  Held& to = held(frame);
  source_->load(frame, {part_.z.begin, part_.y.begin}, view(to.buffer));
  std::atomic_ref(to.loaded).store(true, std::memory_order_release);
}

}  // namespace spim::detail
