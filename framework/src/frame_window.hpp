#pragma once
/// Frames that slide through memory.

#include <cstdint>
#include <vector>

#include "deskew.hpp"
#include "page_arena.hpp"
#include "spim/host/frame_source.hpp"

namespace spim::detail {

/// A block of a stack: some frames, of each the same part. y begins with a block of the grid of
/// block_begin().
struct StackPart {
  IndexRange frames, z, y;

  bool empty() const noexcept { return frames.empty() || z.empty() || y.empty(); }
  friend bool operator==(const StackPart&, const StackPart&) = default;
};

/// Holds one StackPart of a FrameSource in memory. Moving it along the frames loads only those that come in:
/// they take the buffers of frames that fall out. Another part of the frames begins anew.
class FrameWindow {
 public:
  explicit FrameWindow(FrameSource& source) : source_(&source) {}

  /// Bytes of memory that the window takes at `part`.
  static std::int64_t bytes(const StackPart& part) noexcept;

  /// Moves to `part`; returns how many frames of it are to be loaded. [one thread, no others inside]
  std::int64_t move_to(const StackPart& part);
  /// Loads frame number i of those. What throws is not held. [any thread, each i once]
  void load(std::int64_t i);

  /// True when `frame` is in memory, as far as `part` says. [any thread]
  bool holds(std::int64_t frame, const StackPart& part) const noexcept;
  /// The samples of `frame`, which the window holds, from z and the block of y on. [any thread]
  FrameSlice at(std::int64_t frame, std::int64_t z, std::int64_t y) const noexcept;

 private:
  /// Room for the window's part of one frame.
  struct Buffer {
    std::size_t arena = 0;
    std::int64_t offset = 0;
    bool touched = false;  ///< has memory of its own
  };
  /// One frame in memory, or on its way there.
  struct Held {
    Buffer buffer;
    bool loaded = false;  ///< set by load() while others read: through an atomic_ref
  };

  std::vector<Buffer> take_buffers(std::size_t count);
  void release(Buffer& buffer) const noexcept;
  BlockedView view(const Buffer& buffer) const noexcept;
  Held& held(std::int64_t frame) noexcept {
    return held_[static_cast<std::size_t>(frame - part_.frames.begin)];
  }
  void clear() noexcept;

  FrameSource* source_;
  StackPart part_;
  std::int64_t pitch_ = 0;         ///< bytes between buffers
  std::vector<PageArena> arenas_;  ///< one more whenever the window grows
  std::vector<Buffer> free_;
  mutable std::vector<Held> held_;     ///< of frame part_.frames.begin + i
  std::vector<std::int64_t> missing_;  ///< frames that load() is for
};

}  // namespace spim::detail
