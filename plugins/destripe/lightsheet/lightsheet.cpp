#include "lightsheet.hpp"

#include <algorithm>

namespace spim::lightsheet {

namespace {

ImageView<const float> read_only(ImageView<float> v) {
  return {v.data, v.rows, v.columns, v.row_stride};
}

/// Writes `in` with rows and columns exchanged to `out`.
void transpose(ImageView<const float> in, ImageView<float> out) {
  constexpr std::int64_t kBlock =
      16;  // a block of both fits the first-level cache, a line of it a cache line
  for (std::int64_t y0 = 0; y0 < in.rows; y0 += kBlock)
    for (std::int64_t x0 = 0; x0 < in.columns; x0 += kBlock)
      for (std::int64_t y = y0; y < std::min(in.rows, y0 + kBlock); ++y)
        for (std::int64_t x = x0; x < std::min(in.columns, x0 + kBlock); ++x) out.row(x)[y] = in.row(y)[x];
}

}  // namespace

LightsheetDestriper::LightsheetDestriper(Host&, const Options& options)
    : vertical_(options.text("stripe-direction") == "vertical"),
      grid_({options.number("percentile"), options.integer("artifact-length"),
             options.integer("background-window-size")}),
      subtract_(static_cast<float>(options.number("lightsheet-vs-background"))) {}

void LightsheetDestriper::apply(ImageView<float> frame) {
  if (!vertical_) return apply_along_rows(frame);
  turned_.resize(static_cast<std::size_t>(frame.rows * frame.columns));
  const ImageView<float> turned{turned_.data(), frame.columns, frame.rows, frame.rows};
  transpose(read_only(frame), turned);
  apply_along_rows(turned);
  transpose(read_only(turned), frame);
}

void LightsheetDestriper::apply_along_rows(ImageView<float> frame) {
  grid_.estimate(read_only(frame));
  subtract_(grid_, frame);
}

}  // namespace spim::lightsheet
