#include "halve_plane.hpp"

#include <algorithm>

#include "spim/clones.hpp"

namespace spim::tiff {

namespace {

SPIM_CLONES void halve_rows(const std::uint16_t* a, const std::uint16_t* b, std::int64_t pairs,
                            std::uint16_t* to) {
  for (std::int64_t j = 0; j < pairs; ++j)
    to[j] = static_cast<std::uint16_t>(
        (std::uint32_t{a[2 * j]} + a[2 * j + 1] + b[2 * j] + b[2 * j + 1] + 2) / 4);
}

}  // namespace

std::vector<std::uint16_t> halve_plane(ImageView<const std::uint16_t> plane) {
  const std::int64_t rows = ceil_div(plane.rows, 2), columns = ceil_div(plane.columns, 2);
  std::vector<std::uint16_t> half(static_cast<std::size_t>(rows * columns));
  for (std::int64_t i = 0; i < rows; ++i) {
    // A row or column without a partner is its own: the mean of what exists is the same.
    const std::uint16_t* const a = plane.row(2 * i);
    const std::uint16_t* const b = plane.row(std::min(2 * i + 1, plane.rows - 1));
    std::uint16_t* const to = half.data() + i * columns;
    halve_rows(a, b, plane.columns / 2, to);
    if (plane.columns % 2 != 0)
      to[columns - 1] =
          static_cast<std::uint16_t>((std::uint32_t{a[plane.columns - 1]} + b[plane.columns - 1] + 1) / 2);
  }
  return half;
}

}  // namespace spim::tiff
