#pragma once
/// A large piece of address space whose memory is taken and given back piece by piece.

#include <cstdint>

namespace spim::detail {

/// Memory is committed when it is first written and returned to the system by release(). Huge pages are asked
/// for, because the deskew jumps from frame to frame and would otherwise miss the TLB on every line.
class PageArena {
 public:
  PageArena() = default;
  /// Reserves `bytes` of zeros. Throws Error when the system refuses.
  explicit PageArena(std::int64_t bytes);
  ~PageArena();
  PageArena(PageArena&& other) noexcept;
  PageArena& operator=(PageArena&& other) noexcept;

  /// Aligned to 4096 bytes at least; null when nothing was reserved.
  std::uint8_t* data() const noexcept { return data_; }

  /// Gives the whole pages inside [offset, offset + bytes) back; they read as zeros afterwards.
  void release(std::int64_t offset, std::int64_t bytes) const noexcept;

 private:
  void* mapping_ = nullptr;
  std::uint64_t mapped_ = 0;
  std::uint8_t* data_ = nullptr;
};

}  // namespace spim::detail
