#include "chunk_order.hpp"

#include <fmt/format.h>

#include "spim/error.hpp"

namespace spim::precomputed {

ChunkOrder::ChunkOrder(Index3 grid) : grid_(grid) {
  constexpr std::size_t kMostBits = 64;
  const std::int64_t extents[] = {grid.x, grid.y, grid.z};
  for (int bit = 0; bit < 62; ++bit)
    for (int axis = 0; axis < 3; ++axis)
      if ((std::int64_t{1} << bit) < extents[axis]) axes_.push_back(axis);
  if (axes_.size() > kMostBits)
    throw Error(fmt::format("a grid of {} x {} x {} chunks needs numbers of {} bits; the format has {}",
                            grid.x, grid.y, grid.z, axes_.size(), kMostBits));
}

std::uint64_t ChunkOrder::number(Index3 chunk) const noexcept {
  std::uint64_t left[] = {static_cast<std::uint64_t>(chunk.x), static_cast<std::uint64_t>(chunk.y),
                          static_cast<std::uint64_t>(chunk.z)};
  std::uint64_t number = 0;
  for (std::size_t bit = 0; bit < axes_.size(); ++bit) {
    number |= (left[axes_[bit]] & 1) << bit;
    left[axes_[bit]] >>= 1;
  }
  return number;
}

Index3 ChunkOrder::chunk(std::uint64_t number) const noexcept {
  std::uint64_t index[3] = {};
  int used[3] = {};
  for (std::size_t bit = 0; bit < axes_.size(); ++bit)
    index[axes_[bit]] |= (number >> bit & 1) << used[axes_[bit]]++;
  return {static_cast<std::int64_t>(index[0]), static_cast<std::int64_t>(index[1]),
          static_cast<std::int64_t>(index[2])};
}

Index3 ChunkOrder::box(int bits) const noexcept {
  std::int64_t extents[] = {1, 1, 1};
  for (int bit = 0; bit < bits; ++bit) extents[axes_[static_cast<std::size_t>(bit)]] *= 2;
  return {extents[0], extents[1], extents[2]};
}

}  // namespace spim::precomputed
