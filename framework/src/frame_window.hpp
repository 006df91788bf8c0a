#pragma once
/// Frames that slide through memory.

#include <cstdint>
#include <vector>

#include "deskew.hpp"
#include "page_arena.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/frame_source.hpp"

namespace spim::detail {

/// A block of a stack: some frames, of each the same part. y begins with a block of the grid of
/// block_begin().
struct StackPart {
  IndexRange frames, z, y;

  bool empty() const noexcept { return frames.empty() || z.empty() || y.empty(); }
  bool covers(std::int64_t frame, const StackPart& other) const noexcept {
    return frame >= frames.begin && frame < frames.end && other.z.begin >= z.begin && other.z.end <= z.end &&
           other.y.begin >= y.begin && other.y.end <= y.end;
  }
  friend bool operator==(const StackPart&, const StackPart&) = default;
};

/// Holds one StackPart of a FrameSource in memory. Moving it to another part loads only what is missing: the
/// buffers of frames that fall out take those that come in.
class FrameWindow {
 public:
  explicit FrameWindow(FrameSource& source) : source_(&source) {}

  /// Bytes of memory that the window takes at `part`.
  static std::int64_t bytes(const StackPart& part) noexcept;

  const StackPart& part() const noexcept { return part_; }

  /// Makes the window hold `part`, loading frames on all workers. When something throws the window is empty
  /// afterwards. [one thread, no others inside the window]
  void move_to(const StackPart& part, const Executor& executor);

  /// The samples of `frame`, which the window holds, from z and the block of y on. [any thread]
  FrameSlice at(std::int64_t frame, std::int64_t z, std::int64_t y) const noexcept;

 private:
  /// Buffers of one shape in one arena.
  struct House {
    IndexRange z, y;            ///< what a buffer has room for
    std::int64_t pitch = 0;     ///< bytes between buffers
    std::int64_t capacity = 0;  ///< buffers
    PageArena arena;

    /// `rows` of z of a buffer, for all y.
    BlockedView view(std::int64_t slot, IndexRange rows) const noexcept;
    void release(std::int64_t slot, IndexRange rows) const noexcept;
  };
  /// One frame in memory.
  struct Held {
    std::int64_t slot = -1;
    IndexRange z;  ///< rows that are loaded
  };

  House build(const StackPart& part) const;
  bool has_room_for(const StackPart& part) const noexcept;
  void slide(const StackPart& part);
  void rehouse(const StackPart& part, const Executor& executor);
  void load(const StackPart& part, const Executor& executor);
  void clear() noexcept;

  FrameSource* source_;
  StackPart part_;
  House house_;
  std::vector<Held> held_;  ///< of frame part_.frames.begin + i
};

}  // namespace spim::detail
