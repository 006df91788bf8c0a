#pragma once
/// A bounded amount of memory in large blocks that are used again and again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

namespace spim::chunked {

/// Blocks of 2 MiB, aligned to what the system maps at once where it can: memory that is got and given back
/// in pieces of a chunk costs more in page faults than all copying. [any thread]
class BlockPool {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 21;

  /// At most `bytes` in all.
  explicit BlockPool(std::int64_t bytes) : left_(bytes / static_cast<std::int64_t>(kBlockBytes)) {}

  /// A block, or null when all are in use. It stays the pool's: give it back before the pool ends.
  std::byte* take();
  void give_back(std::byte* block);
  /// Frees all blocks, if none is in use.
  void trim();

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::mutex mutex_;
  std::vector<std::unique_ptr<std::byte, Free>> all_;
  std::vector<std::byte*> unused_;
  std::int64_t left_;  ///< blocks that may still be made
};

}  // namespace spim::chunked
