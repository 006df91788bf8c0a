#pragma once
/// Planes of half the size.

#include <cstdint>
#include <vector>

#include "spim/image.hpp"

namespace spim::tiff {

/// The mean of the up to 2×2 samples that exist, rounded to nearest, halves up: ceil(rows / 2) ×
/// ceil(columns / 2) samples without gaps.
std::vector<std::uint16_t> halve_plane(ImageView<const std::uint16_t> plane);

}  // namespace spim::tiff
