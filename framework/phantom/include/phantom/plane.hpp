#pragma once
/// A rectangle of sample points in space: the plane of a light sheet, or an axis-aligned cut.

#include <cstdint>

#include "spim/geometry.hpp"

namespace spim {

/// Sample (row i, column j) lies at origin + j·column_um·(cosθ, 0, sinθ) + i·row_um·(0, 1, 0). θ in [0, 90°]:
/// 0 is a cut of constant z, 45° the usual light sheet. Only rows [first_row, first_row + rows) and columns
/// [first_column, first_column + columns) are wanted; their values do not depend on which others are.
struct Plane {
  Vec3 origin_um;
  double tilt_degrees = 0;
  double row_um = 1;
  double column_um = 1;
  std::int64_t first_row = 0;
  std::int64_t first_column = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

}  // namespace spim
