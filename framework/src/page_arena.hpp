#pragma once
/// A large piece of address space whose memory is taken and given back piece by piece.

#include <cstdint>

namespace spim::detail {

/// The pages to ask for. With huge ones the deskew, which jumps from frame to frame, does not miss the TLB on
/// every line: it takes half the time. But memory that is touched for the first time comes slower, three
/// seconds for each GB where a virtual machine gets it from its host page by page.
enum class Pages {
  usual,  ///< for memory that is filled once or a few times
  huge    ///< for memory that is filled again and again
};

/// Memory is committed when it is first written and returned to the system by release().
class PageArena {
 public:
  PageArena() = default;
  /// Reserves `bytes` of zeros. Throws Error when the system refuses.
  PageArena(std::int64_t bytes, Pages pages);
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
