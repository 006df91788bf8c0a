#pragma once
/// Kernels of the pyramid: 2×2×2 means.

#include <cstdint>

#include "spim/image.hpp"

namespace spim::detail {

/// out = mean over the up to 2×2×2 voxels of `in` that exist, rounded to nearest, halves up. out.size is
/// in.size halved, rounded up.
void halve(VolumeView<const std::uint16_t> in, VolumeView<std::uint16_t> out) noexcept;

/// Adds the voxels of `in`, whose first lies at `first`, to the sums at half their position.
void add_to_sums(VolumeView<const std::uint16_t> in, Index3 first, VolumeView<std::uint32_t> sums) noexcept;

/// Divides `sums` by the number of voxels behind each: 2×2×2, fewer at the end of an axis whose `children`
/// (voxels of the finer level) are odd.
void divide_sums(VolumeView<const std::uint32_t> sums, Index3 children,
                 VolumeView<std::uint16_t> out) noexcept;

/// True when every voxel is zero.
bool all_zero(VolumeView<const std::uint16_t> voxels) noexcept;

}  // namespace spim::detail
