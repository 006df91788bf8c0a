#pragma once
/// The order of chunks in sharded volumes: compressed Morton codes.

#include <cstdint>
#include <vector>

#include "spim/geometry.hpp"

namespace spim::precomputed {

/// Numbers the chunks of a grid. Bit i of x, y and z in turn, from the lowest on, becomes the next bit of the
/// number, unless no index of that axis has such a bit. [any thread]
class ChunkOrder {
 public:
  /// Throws Error when the numbers would not fit 64 bits.
  explicit ChunkOrder(Index3 grid);

  std::uint64_t number(Index3 chunk) const noexcept;
  Index3 chunk(std::uint64_t number) const noexcept;

  int bits() const noexcept { return static_cast<int>(axes_.size()); }
  Index3 grid() const noexcept { return grid_; }
  /// Extents of the box of chunks whose numbers differ in the lowest `bits` bits only.
  Index3 box(int bits) const noexcept;

 private:
  Index3 grid_;
  std::vector<int> axes_;  ///< of each bit of the number: 0 x, 1 y, 2 z
};

}  // namespace spim::precomputed
