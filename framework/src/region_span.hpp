#pragma once
/// The valid region of a volume, row by row.

#include <cstdint>

#include "spim/host/oblique_geometry.hpp"

namespace spim::detail {

inline IndexRange intersect(IndexRange a, IndexRange b) noexcept {
  return {a.begin > b.begin ? a.begin : b.begin, a.end < b.end ? a.end : b.end};
}

/// Range of w = x − shear·z, both ends included, between the two oblique faces.
struct WRange {
  double first = 0;
  double last = -1;
};
WRange w_range(const ValidRegion& region) noexcept;

/// The smallest box that holds the valid voxels of `box`; empty when there are none. May be a little too
/// large, never too small.
Box clip_to_region(const ValidRegion& region, const Box& box) noexcept;

}  // namespace spim::detail
