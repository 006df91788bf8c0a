#pragma once
/// Rearranging the rows of an image in place.

#include <cstdint>

#include "spim/image.hpp"

namespace spim::detail {

/// Last row first; the rows themselves stay as they are.
void reverse_order_of_rows(ImageView<std::uint16_t> image) noexcept;
/// Last column first.
void reverse_each_row(ImageView<std::uint16_t> image) noexcept;
/// Both at once: half a turn.
void turn_around(ImageView<std::uint16_t> image) noexcept;

}  // namespace spim::detail
