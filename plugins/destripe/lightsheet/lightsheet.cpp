#include "lightsheet.hpp"

#include <algorithm>

namespace spim::lightsheet {

namespace {

ImageView<const float> read_only(ImageView<float> v) {
  return {v.data, v.rows, v.columns, v.row_stride};
}

/// Writes `in` with rows and columns exchanged to `out`.
void transpose(ImageView<const float> in, ImageView<float> out) {
  // Lines of a camera's frame often lie a multiple of 4096 bytes apart, where the first-level cache has room
  // for eight of them.
  constexpr std::int64_t kRows = 8, kColumns = 8;
  for (std::int64_t y0 = 0; y0 < in.rows; y0 += kRows)
    for (std::int64_t x0 = 0; x0 < in.columns; x0 += kColumns)
      for (std::int64_t x = x0; x < std::min(in.columns, x0 + kColumns); ++x)
        for (std::int64_t y = y0; y < std::min(in.rows, y0 + kRows); ++y) out.row(x)[y] = in.row(y)[x];
}

}  // namespace

LightsheetDestriper::LightsheetDestriper(Host&, const Options& options)
    : vertical_(options.text("stripe-direction") == "vertical"),
      grid_({options.number("percentile"), options.integer("artifact-length"),
             options.integer("background-window-size")}),
      subtract_(static_cast<float>(options.number("lightsheet-vs-background"))) {}

void LightsheetDestriper::apply(ImageView<float> frame) {
  if (frame.rows == 0 || frame.columns == 0) return;
  if (!vertical_) return apply_along_rows(frame);
  const std::int64_t stride = frame.rows + 16;  // see transpose()
  turned_.resize(static_cast<std::size_t>(frame.columns * stride));
  const ImageView<float> turned{turned_.data(), frame.columns, frame.rows, stride};
  transpose(read_only(frame), turned);
  apply_along_rows(turned);
  transpose(read_only(turned), frame);
}

void LightsheetDestriper::apply_along_rows(ImageView<float> frame) {
  grid_.estimate(read_only(frame));
  subtract_(grid_, frame);
}

}  // namespace spim::lightsheet
