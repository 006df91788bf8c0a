#pragma once
/// Voxels where there is nothing.

#include <cstdint>
#include <cstring>

#include "spim/image.hpp"

namespace spim::detail {

/// `count` may be negative: nothing then.
inline void zero_row(std::uint16_t* row, std::int64_t count) noexcept {
  if (count > 0) std::memset(row, 0, static_cast<std::size_t>(count) * sizeof(std::uint16_t));
}

inline void zero_volume(VolumeView<std::uint16_t> out) noexcept {
  for (std::int64_t z = 0; z < out.size.z; ++z)
    for (std::int64_t y = 0; y < out.size.y; ++y) zero_row(out.row(y, z), out.size.x);
}

}  // namespace spim::detail
