#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <array>

#include "deskew_kernels.hpp"
#include "scratch_pool.hpp"
#include "spim/error.hpp"
#include "spim/host/frame_source.hpp"

namespace spim {

namespace {

/// Rows are read in pieces of about this size: they are still in the second-level cache when they are put in
/// order, so that memory is passed over once.
constexpr std::int64_t kPieceBytes = 256 * 1024;

constexpr std::int64_t kBlock = BlockedView::kRows;

/// to[i] = from[count − 1 − i].
void copy_reversed(const std::uint16_t* from, std::int64_t count, std::uint16_t* to) {
  const __m128i order = _mm_set_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i samples = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + count - 8 - i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm_shuffle_epi8(samples, order));
  }
  for (; i < count; ++i) to[i] = from[count - 1 - i];
}

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
        piece_rows_(map_.rows_are_z ? std::max<std::int64_t>(kPieceBytes / (stride_ * 2), 1) : kBlock),
        scratch_(static_cast<std::size_t>(std::min(piece_rows_, info_.rows) * stride_)) {}

  StackShape shape() const override {
    if (map_.rows_are_z) return {frames_.size(), info_.columns, info_.rows};
    return {frames_.size(), info_.rows, info_.columns};
  }
  PixelType type() const override { return info_.type; }

  void load(std::int64_t frame, FrameCorner first, BlockedView out) override {
    const IndexRange wanted = map_.rows_are_z ? IndexRange{first.z, first.z + out.z_count}
                                              : IndexRange{first.y, first.y + out.y_count};
    read_pieces(frame, wanted, [&](const std::uint16_t* raw, IndexRange piece) {
      if (map_.rows_are_z)
        copy_rows(raw, piece, first.y, out);
      else
        transpose_rows(raw, piece, first.z, out);
    });
  }

  void load_rows(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) override {
    if (map_.rows_are_z)
      return read_pieces(
          frame, {first.z, first.z + out.columns},
          [&](const std::uint16_t* raw, IndexRange piece) { turn_rows(raw, piece, first.y, out); });
    if (!map_.rows_reversed && !map_.columns_reversed && out.columns == info_.columns)
      return reader_->read(frames_.begin + frame, first.y, out);
    read_pieces(frame, {first.y, first.y + out.rows}, [&](const std::uint16_t* raw, IndexRange piece) {
      for (std::int64_t i = 0; i < piece.size(); ++i)
        copy_row(raw_row(raw, i, piece.size()) + raw_column(first.z, out.columns), out.columns,
                 out.row(piece.begin + i));
    });
  }

 private:
  /// Calls use(rows, piece) for raw rows of `wanted` (along the axis of raw rows), piece by piece, in the
  /// order of the file, so that the system reads ahead. Pieces count from wanted.begin.
  template <class Use>
  void read_pieces(std::int64_t frame, IndexRange wanted, const Use& use) const {
    const std::int64_t pieces = ceil_div(wanted.size(), piece_rows_);
    const Lease scratch(scratch_);
    for (std::int64_t p = 0; p < pieces; ++p) {
      const std::int64_t begin = (map_.rows_reversed ? pieces - 1 - p : p) * piece_rows_;
      const IndexRange piece{begin, std::min(begin + piece_rows_, wanted.size())};
      const std::int64_t at = wanted.begin + begin;
      const std::int64_t row = map_.rows_reversed ? info_.rows - at - piece.size() : at;
      reader_->read(frames_.begin + frame, row, {scratch.data(), piece.size(), info_.columns, stride_});
      use(scratch.data(), piece);
    }
  }

  /// Row i of the axis along which a piece of `count` raw rows lies.
  const std::uint16_t* raw_row(const std::uint16_t* piece, std::int64_t i, std::int64_t count) const {
    return piece + (map_.rows_reversed ? count - 1 - i : i) * stride_;
  }
  /// Raw column at which indices [first, first + count) of the axis of the columns begin.
  std::int64_t raw_column(std::int64_t first, std::int64_t count) const {
    return map_.columns_reversed ? info_.columns - first - count : first;
  }

  /// The microscope's own orientation: raw rows are rows z.
  void copy_rows(const std::uint16_t* raw, IndexRange z, std::int64_t first_y, BlockedView out) const {
    for (std::int64_t b = 0; b * kBlock < out.y_count; ++b) {
      const std::int64_t count = std::min(kBlock, out.y_count - b * kBlock);
      const std::int64_t column = raw_column(first_y + b * kBlock, count);
      for (std::int64_t i = 0; i < z.size(); ++i) {
        const std::uint16_t* const from = raw_row(raw, i, z.size()) + column;
        copy_row(from, count, out.row(z.begin + i, b));
      }
    }
  }

  void copy_row(const std::uint16_t* from, std::int64_t count, std::uint16_t* to) const {
    if (map_.columns_reversed)
      copy_reversed(from, count, to);
    else
      std::copy_n(from, count, to);
  }

  /// Raw rows are columns of the image.
  void turn_rows(const std::uint16_t* raw, IndexRange z, std::int64_t first_y,
                 ImageView<std::uint16_t> out) const {
    const std::int64_t column = raw_column(first_y, out.rows);
    for (std::int64_t begin = 0; begin < z.size(); begin += kBlock) {
      const std::int64_t count = std::min(kBlock, z.size() - begin);
      std::array<const std::uint16_t*, kBlock> rows;
      for (std::int64_t i = 0; i < count; ++i)
        rows[static_cast<std::size_t>(i)] = raw_row(raw, begin + i, z.size()) + column;
      const detail::RowList list{rows.data(), static_cast<std::size_t>(count),
                                 static_cast<std::size_t>(out.rows), 0};
      const std::int64_t at = z.begin + begin;
      if (map_.columns_reversed)
        detail::deskew_kernels().transpose(list, out.row(out.rows - 1) + at, -out.row_stride);
      else
        detail::deskew_kernels().transpose(list, out.row(0) + at, out.row_stride);
    }
  }

  /// Raw rows run along y: a piece of them is one block.
  void transpose_rows(const std::uint16_t* raw, IndexRange y, std::int64_t first_z, BlockedView out) const {
    std::array<const std::uint16_t*, kBlock> rows;
    const std::int64_t column = raw_column(first_z, out.z_count);
    for (std::int64_t i = 0; i < y.size(); ++i)
      rows[static_cast<std::size_t>(i)] = raw_row(raw, i, y.size()) + column;
    const detail::RowList list{rows.data(), static_cast<std::size_t>(y.size()),
                               static_cast<std::size_t>(out.z_count), 0};
    const std::int64_t block = y.begin / kBlock;
    if (map_.columns_reversed)
      detail::deskew_kernels().transpose(list, out.row(out.z_count - 1, block), -kBlock);
    else
      detail::deskew_kernels().transpose(list, out.row(0, block), kBlock);
  }

  using Lease = detail::ScratchPool<std::uint16_t>::Lease;

  std::shared_ptr<FrameReader> reader_;
  StackInfo info_;
  Mapping map_;
  IndexRange frames_;
  std::int64_t stride_;  ///< samples between rows of a piece
  std::int64_t piece_rows_;
  mutable detail::ScratchPool<std::uint16_t> scratch_;
};

}  // namespace

std::unique_ptr<FrameSource> oriented_frames(std::shared_ptr<FrameReader> reader, Orientation orientation,
                                             FrameRange range) {
  return std::make_unique<OrientedFrames>(std::move(reader), orientation, range);
}

}  // namespace spim
