#include "frame_window.hpp"

#include <algorithm>
#include <cstring>

namespace spim::detail {

namespace {

constexpr std::int64_t kBlock = BlockedView::kRows;

/// The same sample of neighbouring frames must not fall into the same set of the cache, as it would when
/// frames are a power of two apart: each buffer is two lines further in its pages than the one before.
std::int64_t pitch_of(IndexRange z, IndexRange y) {
  return (ceil_div(y.size(), kBlock) * z.size() * kBlock * 2 + 4095) / 4096 * 4096 + 128;
}

IndexRange common(IndexRange a, IndexRange b) {
  const IndexRange both{std::max(a.begin, b.begin), std::min(a.end, b.end)};
  return both.empty() ? IndexRange{} : both;
}

}  // namespace

std::int64_t FrameWindow::bytes(const StackPart& part) noexcept {
  return part.empty() ? 0 : part.frames.size() * pitch_of(part.z, part.y);
}

BlockedView FrameWindow::House::view(std::int64_t slot, IndexRange rows) const noexcept {
  auto* const buffer = reinterpret_cast<std::uint16_t*>(arena.data() + slot * pitch);
  return {buffer + (rows.begin - z.begin) * kBlock, rows.size(), y.size(), z.size() * kBlock};
}

void FrameWindow::House::release(std::int64_t slot, IndexRange rows) const noexcept {
  if (rows == z) return arena.release(slot * pitch, pitch);
  if (rows.empty()) return;
  for (std::int64_t block = 0; block * kBlock < y.size(); ++block)
    arena.release(slot * pitch + (block * z.size() + rows.begin - z.begin) * kBlock * 2,
                  rows.size() * kBlock * 2);
}

FrameWindow::House FrameWindow::build(const StackPart& part) const {
  // A sweep starts with few frames and needs many times more a step or two later. Address space costs
  // nothing; moving what is held into a larger house costs a first touch of all of it.
  constexpr std::int64_t kRoomyFrames = 1024;
  const std::int64_t roomy = std::max(kRoomyFrames, 2 * part.frames.size());
  const std::int64_t capacity = std::max(std::min(roomy, source_->shape().frames), part.frames.size());
  const std::int64_t pitch = pitch_of(part.z, part.y);
  return {part.z, part.y, pitch, capacity, PageArena(capacity * pitch)};
}

bool FrameWindow::has_room_for(const StackPart& part) const noexcept {
  return part.frames.size() <= house_.capacity && part.y == house_.y && part.z.begin >= house_.z.begin &&
         part.z.end <= house_.z.end;
}

FrameSlice FrameWindow::at(std::int64_t frame, std::int64_t z, std::int64_t y) const noexcept {
  const Held& held = held_[static_cast<std::size_t>(frame - part_.frames.begin)];
  const BlockedView view = house_.view(held.slot, {z, house_.z.end});
  return {view.row(0, (block_begin(y) - house_.y.begin) / kBlock), view.block_stride};
}

void FrameWindow::clear() noexcept {
  part_ = {};
  held_.clear();
  house_ = {};
}

void FrameWindow::move_to(const StackPart& part, const Executor& executor) {
  if (part.empty()) return clear();
  if (part == part_) return;
  try {
    if (!has_room_for(part)) rehouse(part, executor);
    slide(part);
    load(part, executor);
    part_ = part;
  } catch (...) {
    clear();
    throw;
  }
}

/// A new house of the right shape; what both have moves over, one frame at a time so that the peak of memory
/// is that of the larger of them.
void FrameWindow::rehouse(const StackPart& part, const Executor& executor) {
  House next = build(part);
  const bool same_rows = part.y.begin >= house_.y.begin && part.y.end <= house_.y.end;
  const IndexRange kept = same_rows ? common(part.frames, part_.frames) : IndexRange{};
  for (std::int64_t f = part_.frames.begin; f < part_.frames.end; ++f) {
    const Held& held = held_[static_cast<std::size_t>(f - part_.frames.begin)];
    if (f < kept.begin || f >= kept.end) house_.release(held.slot, house_.z);
  }
  std::vector<Held> moved(static_cast<std::size_t>(kept.size()));
  executor.parallel_for(kept.size(), [&](std::int64_t i, int) {
    const Held& from = held_[static_cast<std::size_t>(kept.begin + i - part_.frames.begin)];
    const IndexRange rows = common(from.z, part.z);
    moved[static_cast<std::size_t>(i)] = {i, rows};
    if (rows.empty()) return house_.release(from.slot, house_.z);
    const BlockedView old = house_.view(from.slot, rows), now = next.view(i, rows);
    const std::int64_t first_block = (part.y.begin - house_.y.begin) / kBlock;
    for (std::int64_t block = 0; block * kBlock < part.y.size(); ++block)
      std::memcpy(now.row(0, block), old.row(0, first_block + block),
                  static_cast<std::size_t>(rows.size() * kBlock) * 2);
    house_.release(from.slot, house_.z);
  });
  house_ = std::move(next);
  held_ = std::move(moved);
  part_.frames = kept;
}

/// Frames that stay keep their buffers, the others get those that are free.
void FrameWindow::slide(const StackPart& part) {
  std::vector<Held> next(static_cast<std::size_t>(part.frames.size()));
  std::vector<char> taken(static_cast<std::size_t>(house_.capacity), 0);
  const IndexRange kept = common(part.frames, part_.frames);
  for (std::int64_t f = kept.begin; f < kept.end; ++f) {
    Held& held = next[static_cast<std::size_t>(f - part.frames.begin)];
    held = held_[static_cast<std::size_t>(f - part_.frames.begin)];
    taken[static_cast<std::size_t>(held.slot)] = 1;
  }
  // Buffers that were written before come first: their memory is there already.
  std::vector<std::int64_t> free;
  for (const Held& old : held_)
    if (!taken[static_cast<std::size_t>(old.slot)]) free.push_back(old.slot);
  for (const std::int64_t slot : free) taken[static_cast<std::size_t>(slot)] = 1;
  for (std::int64_t slot = 0; slot < house_.capacity; ++slot)
    if (!taken[static_cast<std::size_t>(slot)]) free.push_back(slot);

  std::size_t used = 0;
  for (Held& held : next)
    if (held.slot < 0) held = {free[used++], {}};
  for (; used < free.size(); ++used) house_.release(free[used], house_.z);
  held_ = std::move(next);
  part_.frames = part.frames;
}

/// Loads the rows that are missing and gives back the memory of those that are no longer wanted.
void FrameWindow::load(const StackPart& part, const Executor& executor) {
  const auto load_rows = [&](std::int64_t frame, std::int64_t slot, IndexRange rows) {
    if (!rows.empty()) source_->load(frame, {rows.begin, part.y.begin}, house_.view(slot, rows));
  };
  std::vector<std::int64_t> incomplete;
  for (std::int64_t f = part.frames.begin; f < part.frames.end; ++f)
    if (held_[static_cast<std::size_t>(f - part.frames.begin)].z != part.z) incomplete.push_back(f);

  executor.parallel_for(static_cast<std::int64_t>(incomplete.size()), [&](std::int64_t i, int) {
    const std::int64_t frame = incomplete[static_cast<std::size_t>(i)];
    Held& held = held_[static_cast<std::size_t>(frame - part.frames.begin)];
    const IndexRange have = common(held.z, part.z);
    if (have.empty() || source_->cost().whole_frame) {
      load_rows(frame, held.slot, part.z);
    } else {
      load_rows(frame, held.slot, {part.z.begin, have.begin});
      load_rows(frame, held.slot, {have.end, part.z.end});
    }
    house_.release(held.slot, {house_.z.begin, part.z.begin});
    house_.release(held.slot, {part.z.end, house_.z.end});
    held.z = part.z;
  });
}

}  // namespace spim::detail
