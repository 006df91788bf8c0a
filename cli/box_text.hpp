#pragma once
/// Boxes of voxels as users type them.

#include <string>
#include <string_view>

#include "spim/geometry.hpp"

namespace spim::cli {

/// "x0:x1,y0:y1,z0:z1", half-open and counted from 0, inside a volume of `shape`. A side that is left out
/// reaches to the edge: ":" is a whole axis, "100:" all from 100 on. "" is the whole volume. Throws
/// UsageError naming `subject` when the text is no box, or the box is empty or reaches outside.
Box parse_box(std::string_view text, Index3 shape, const std::string& subject);

}  // namespace spim::cli
