#include "whole_frames.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "deskew_kernels.hpp"
#include "spim/host/frame_corrector.hpp"

namespace spim::detail {

namespace {

/// Samples change layout in pieces of one block of y: rows y of uint16, in the second-level cache.
constexpr std::int64_t kBlock = BlockedView::kRows;

/// Pointers to the rows of a block.
struct BlockRows {
  std::array<const std::uint16_t*, kBlock> rows;

  /// out[j·out_stride + i] = rows[i][j].
  void transpose(std::int64_t count, std::int64_t columns, std::uint16_t* out,
                 std::int64_t out_stride) const {
    deskew_kernels().transpose(
        {rows.data(), static_cast<std::size_t>(count), static_cast<std::size_t>(columns), 0}, out,
        out_stride);
  }
};

std::int64_t blocked_count(std::int64_t rows, std::int64_t columns) noexcept {
  return ceil_div(rows, kBlock) * kBlock * columns;
}

}  // namespace

void copy_block(BlockedView blocks, std::int64_t first, ImageView<std::uint16_t> out) {
  for (std::int64_t z = 0; z < out.columns; z += kBlock) {
    const std::int64_t width = std::min(kBlock, out.columns - z);
    BlockRows from;
    for (std::int64_t i = 0; i < width; ++i)
      from.rows[static_cast<std::size_t>(i)] = blocks.row(z + i, first / kBlock);
    from.transpose(width, out.rows, out.data + z, out.row_stride);
  }
}

WholeFrames::WholeFrames(std::int64_t rows, std::int64_t columns)
    : rows_(rows),
      columns_(columns),
      stride_((columns + 31) / 32 * 32),
      raw_(static_cast<std::size_t>(blocked_count(rows, columns))),
      piece_(static_cast<std::size_t>(kBlock * stride_)),
      corrected_(static_cast<std::size_t>(rows * stride_)) {}

std::int64_t WholeFrames::bytes() const noexcept {
  return 2 * blocked_count(rows_, columns_) + 2 * kBlock * stride_ + 4 * rows_ * stride_;
}

void WholeFrames::load(FrameSource& frames, std::int64_t frame, ImageView<float> image) {
  const ScratchPool<std::uint16_t>::Lease raw(raw_), piece(piece_);
  const BlockedView blocks{raw.data(), columns_, rows_, columns_ * kBlock};
  frames.load(frame, {}, blocks);
  for (std::int64_t y = 0; y < rows_; y += kBlock) {
    const std::int64_t count = std::min(kBlock, rows_ - y);
    copy_block(blocks, y, {piece.data(), count, columns_, stride_});
    for (std::int64_t i = 0; i < count; ++i)
      std::copy_n(piece.data() + i * stride_, columns_, image.row(y + i));
  }
}

void WholeFrames::store(ImageView<const float> image, FrameCorner first, BlockedView out) {
  const ScratchPool<std::uint16_t>::Lease piece(piece_);
  for (std::int64_t y = 0; y < out.y_count; y += kBlock) {
    const std::int64_t count = std::min(kBlock, out.y_count - y);
    BlockRows from;
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint16_t* const row = piece.data() + i * stride_;
      round_samples(image.row(first.y + y + i) + first.z, out.z_count, row);
      from.rows[static_cast<std::size_t>(i)] = row;
    }
    from.transpose(count, out.z_count, out.row(0, y / kBlock), kBlock);
  }
}

}  // namespace spim::detail

namespace spim {

void FrameSource::load_rows(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) {
  constexpr std::int64_t kBlock = BlockedView::kRows;
  const std::int64_t stride = out.columns * kBlock;
  const std::unique_ptr<std::uint16_t[]> samples(
      new std::uint16_t[static_cast<std::size_t>(ceil_div(out.rows, kBlock) * stride)]);
  const BlockedView blocks{samples.get(), out.columns, out.rows, stride};
  load(frame, first, blocks);
  for (std::int64_t y = 0; y < out.rows; y += kBlock)
    detail::copy_block(blocks, y, {out.row(y), std::min(kBlock, out.rows - y), out.columns, out.row_stride});
}

}  // namespace spim
