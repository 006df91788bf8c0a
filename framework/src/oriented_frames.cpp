#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "deskew_kernels.hpp"
#include "reverse_rows.hpp"
#include "scratch_pool.hpp"
#include "spim/error.hpp"
#include "spim/host/frame_source.hpp"

namespace spim {

namespace {

/// Rows are read in pieces of this size where they have to be rearranged: they are still in the second-level
/// cache when that happens, so that memory is passed over once.
constexpr std::int64_t kPieceBytes = 256 * 1024;

/// Which raw sample is sample (z, y). With an odd number of quarter turns raw rows run along z, else along y.
struct Mapping {
  bool rows_are_z;
  bool rows_reversed;
  bool columns_reversed;
};

Mapping mapping_of(Orientation orientation) {
  const bool flip = orientation.flip_ud;
  switch (orientation.rotate_90) {
    case 0:
      return {false, flip, false};
    case 1:
      return {true, false, !flip};
    case 2:
      return {false, !flip, true};
    case 3:
      return {true, true, flip};
    default:
      throw UsageError(fmt::format("a rotation of {} quarter turns does not exist; use 0, 1, 2 or 3",
                                   orientation.rotate_90));
  }
}

IndexRange checked(FrameRange range, const StackInfo& info) {
  if (info.frames < 1 || info.rows < 1 || info.columns < 1)
    throw Error(fmt::format("the stack of {} frames of {} rows x {} columns holds no data", info.frames,
                            info.rows, info.columns));
  const std::int64_t stop = range.stop == 0 ? info.frames : range.stop;
  if (range.start < 0 || range.start >= stop || stop > info.frames)
    throw UsageError(
        fmt::format("frames {} to {} (excluded) are not a part of the stack, which has {}; choose "
                    "a start of at least 0 and a stop beyond it of at most {}",
                    range.start, stop, info.frames, info.frames));
  return {range.start, stop};
}

class OrientedFrames final : public FrameSource {
 public:
  OrientedFrames(std::shared_ptr<FrameReader> reader, Orientation orientation, FrameRange range)
      : reader_(std::move(reader)),
        info_(reader_->info()),
        map_(mapping_of(orientation)),
        frames_(checked(range, info_)),
        stride_((info_.columns + 31) / 32 * 32),
        piece_rows_(std::clamp<std::int64_t>(kPieceBytes / (stride_ * 2), 1, info_.rows)),
        scratch_(static_cast<std::size_t>(piece_rows_ * stride_)) {}

  StackShape shape() const override {
    if (map_.rows_are_z) return {frames_.size(), info_.columns, info_.rows};
    return {frames_.size(), info_.rows, info_.columns};
  }
  PixelType type() const override { return info_.type; }

  void load(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) override {
    const std::int64_t raw_frame = frames_.begin + frame;
    if (!map_.rows_are_z)
      load_transposed(raw_frame, first, out);
    else if (out.columns == info_.columns)
      load_whole_rows(raw_frame, first.z, out);
    else
      load_part_of_rows(raw_frame, first, out);
  }

 private:
  /// Raw rows that hold indices [first, first + count) along the axis of the rows.
  std::int64_t first_raw_row(std::int64_t first, std::int64_t count) const {
    return map_.rows_reversed ? info_.rows - first - count : first;
  }

  /// Calls body(first, count, offset) for pieces of [first_row, first_row + rows) in the order of the file;
  /// `offset` is where the piece belongs in the output, whose order may be the opposite.
  template <class Body>
  void for_pieces(std::int64_t first_row, std::int64_t rows, const Body& body) const {
    for (std::int64_t done = 0; done < rows; done += piece_rows_) {
      const std::int64_t count = std::min(piece_rows_, rows - done);
      body(first_row + done, count, map_.rows_reversed ? rows - done - count : done);
    }
  }

  /// The microscope's own orientation: rows go where they belong and are put in order there.
  void load_whole_rows(std::int64_t frame, std::int64_t first_z, ImageView<std::uint16_t> out) {
    const std::int64_t first_row = first_raw_row(first_z, out.rows);
    if (!map_.rows_reversed && !map_.columns_reversed) return reader_->read(frame, first_row, out);
    for_pieces(first_row, out.rows, [&](std::int64_t row, std::int64_t count, std::int64_t offset) {
      const ImageView<std::uint16_t> piece{out.row(offset), count, out.columns, out.row_stride};
      reader_->read(frame, row, piece);
      if (map_.rows_reversed && map_.columns_reversed)
        detail::turn_around(piece);
      else if (map_.rows_reversed)
        detail::reverse_order_of_rows(piece);
      else
        detail::reverse_each_row(piece);
    });
  }

  void load_part_of_rows(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) {
    const Lease scratch(scratch_);
    const std::int64_t column = map_.columns_reversed ? info_.columns - first.y - out.columns : first.y;
    const std::int64_t first_row = first_raw_row(first.z, out.rows);
    for_pieces(first_row, out.rows, [&](std::int64_t row, std::int64_t count, std::int64_t offset) {
      reader_->read(frame, row, {scratch.data(), count, info_.columns, stride_});
      for (std::int64_t i = 0; i < count; ++i) {
        const std::uint16_t* const from =
            scratch.data() + (map_.rows_reversed ? count - 1 - i : i) * stride_ + column;
        std::uint16_t* const to = out.row(offset + i);
        if (map_.columns_reversed)
          std::reverse_copy(from, from + out.columns, to);
        else
          std::copy_n(from, out.columns, to);
      }
    });
  }

  /// Raw rows run along y: they are read in pieces and transposed from the cache.
  void load_transposed(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) {
    const Lease scratch(scratch_);
    std::vector<const std::uint16_t*> rows(static_cast<std::size_t>(piece_rows_));
    const std::int64_t column = map_.columns_reversed ? info_.columns - first.z - out.rows : first.z;
    std::uint16_t* const top = map_.columns_reversed ? out.row(out.rows - 1) : out.data;
    const std::ptrdiff_t stride = map_.columns_reversed ? -out.row_stride : out.row_stride;
    const std::int64_t first_row = first_raw_row(first.y, out.columns);
    for_pieces(first_row, out.columns, [&](std::int64_t row, std::int64_t count, std::int64_t offset) {
      reader_->read(frame, row, {scratch.data(), count, info_.columns, stride_});
      for (std::int64_t i = 0; i < count; ++i)
        rows[static_cast<std::size_t>(i)] =
            scratch.data() + (map_.rows_reversed ? count - 1 - i : i) * stride_ + column;
      detail::deskew_kernels().transpose(
          {rows.data(), static_cast<std::size_t>(count), static_cast<std::size_t>(out.rows), 0}, top + offset,
          stride);
    });
  }

  using Lease = detail::ScratchPool<std::uint16_t>::Lease;

  std::shared_ptr<FrameReader> reader_;
  StackInfo info_;
  Mapping map_;
  IndexRange frames_;
  std::int64_t stride_;  ///< samples between rows of a piece
  std::int64_t piece_rows_;
  detail::ScratchPool<std::uint16_t> scratch_;
};

}  // namespace

std::unique_ptr<FrameSource> oriented_frames(std::shared_ptr<FrameReader> reader, Orientation orientation,
                                             FrameRange range) {
  return std::make_unique<OrientedFrames>(std::move(reader), orientation, range);
}

}  // namespace spim
