#include "deskew.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace spim::detail {

namespace {

/// Voxels of a tile along x (frames) and y (a block of the frames): two cache lines of each of 64 frames, 8
/// KiB in and 8 KiB out, which is half of a 32 KiB first-level cache.
constexpr std::int64_t kTile = BlockedView::kRows;

/// Voxels along x that the kernels take at once.
constexpr std::int64_t kStep = 16;

/// Samples of a cache line.
constexpr std::int64_t kLine = 32;

/// What invalid voxels are copied from.
alignas(64) constexpr std::array<std::uint16_t, kTile> kZeroRow{};

/// One plane of the box.
struct Plane {
  std::int64_t z = 0;       ///< relative to the box
  PlaneLine line;           ///< of the volume
  IndexRange valid;         ///< x of the volume
  std::uint16_t* out;       ///< voxel (box.begin.x, box.begin.y)
  std::int64_t out_stride;  ///< between rows y
};

/// A piece of a plane, inside one block of y. In voxels of the volume.
struct Tile {
  IndexRange x, y;
};

class Deskew {
 public:
  Deskew(const ValidRegion& region, const Box& box, const FrameSlices& frames, const DeskewKernels& kernels)
      : region_(region), box_(box), frames_(frames), kernels_(kernels) {}

  void plane(const Plane& plane) const {
    for (std::int64_t y = box_.begin.y; y < box_.end.y;) {
      const std::int64_t next = std::min(block_begin(y) + kTile, box_.end.y);
      for (std::int64_t x = box_.begin.x; x < box_.end.x; x += kTile)
        tile(plane, {{x, std::min(x + kTile, box_.end.x)}, {y, next}});
      y = next;
    }
  }

 private:
  /// Steps of voxels beside the valid ones are filled with zeros; within a step zeros stand in for frames.
  void tile(const Plane& plane, const Tile& tile) const {
    const auto inside = [&](std::int64_t x) {
      return std::clamp(x - tile.x.begin, std::int64_t{0}, tile.x.size());
    };
    const std::int64_t begin = inside(plane.valid.begin) / kStep * kStep;
    const std::int64_t end = ceil_div(inside(plane.valid.end), kStep) * kStep;
    const IndexRange inner{tile.x.begin + begin, std::min(tile.x.begin + end, tile.x.end)};
    if (inner.empty()) return zero(plane, tile);
    zero(plane, {{tile.x.begin, inner.begin}, tile.y});
    zero(plane, {{inner.end, tile.x.end}, tile.y});
    if (plane.line.weight == 0)
      copy(plane, {inner, tile.y});
    else
      interpolate(plane, {inner, tile.y});
  }

  std::uint16_t* output(const Plane& plane, const Tile& tile) const {
    return plane.out + (tile.y.begin - box_.begin.y) * plane.out_stride + (tile.x.begin - box_.begin.x);
  }

  /// By transposition too: rows of a tile are too short for memset.
  void zero(const Plane& plane, const Tile& tile) const {
    if (tile.x.empty()) return;
    std::array<const std::uint16_t*, kTile> rows;
    rows.fill(kZeroRow.data());
    kernels_.transpose(list(rows.data(), tile), output(plane, tile), plane.out_stride);
  }

  /// Samples of `frame` in this plane and tile; zeros when the frame is not among those of the box, which
  /// happens beside the valid voxels only.
  const std::uint16_t* samples(const Plane& plane, const Tile& tile, std::int64_t frame) const {
    const std::int64_t i = frame - frames_.first;
    if (i < 0 || i >= static_cast<std::int64_t>(frames_.slices.size())) return kZeroRow.data();
    const FrameSlice& slice = frames_.slices[static_cast<std::size_t>(i)];
    const std::int64_t block = block_begin(tile.y.begin);
    return slice.data + (block - block_begin(box_.begin.y)) / kTile * slice.block_stride + plane.z * kTile +
           (tile.y.begin - block);
  }

  static RowList list(const std::uint16_t* const* rows, const Tile& tile) {
    return {rows, static_cast<std::size_t>(tile.x.size()), static_cast<std::size_t>(tile.y.size()), 0};
  }

  /// Rows of the frames themselves: the next plane follows them in memory.
  static RowList frame_list(const std::uint16_t* const* rows, const Tile& tile) {
    RowList in = list(rows, tile);
    in.ahead = kTile;
    return in;
  }

  static bool valid(const Plane& plane, std::int64_t x) {
    return x >= plane.valid.begin && x < plane.valid.end;
  }

  void copy(const Plane& plane, const Tile& tile) const {
    std::array<const std::uint16_t*, kTile> rows;
    for (std::int64_t x = tile.x.begin; x < tile.x.end; ++x)
      rows[static_cast<std::size_t>(x - tile.x.begin)] =
          valid(plane, x) ? samples(plane, tile, region_.direction * x + plane.line.frame) : kZeroRow.data();
    kernels_.transpose(frame_list(rows.data(), tile), output(plane, tile), plane.out_stride);
  }

  void interpolate(const Plane& plane, const Tile& tile) const {
    // In the order of x the frame positions rise or fall by one: neighbouring voxels share a frame. When they
    // fall, voxel i lies between rows i (the frame above it) and i + 1 (the one below).
    std::array<const std::uint16_t*, kTile + 1> rows;
    const bool rising = region_.direction > 0;
    for (std::int64_t x = tile.x.begin; x <= tile.x.end; ++x) {
      const std::int64_t below = region_.direction * x + plane.line.frame;
      rows[static_cast<std::size_t>(x - tile.x.begin)] = samples(plane, tile, rising ? below : below + 1);
    }
    const auto weight = static_cast<float>(rising ? plane.line.weight : 1 - plane.line.weight);

    // One cache line of each frame at a time: with whole tiles the frames of this plane and the next, the
    // mixture and the output would fill the first-level cache.
    alignas(64) std::array<std::uint16_t, kTile * kLine> mixed;
    std::array<const std::uint16_t*, kTile> lines;
    for (std::int64_t i = 0; i < tile.x.size(); ++i)
      lines[static_cast<std::size_t>(i)] =
          valid(plane, tile.x.begin + i) ? mixed.data() + i * kLine : kZeroRow.data();
    for (std::int64_t y = tile.y.begin; y < tile.y.end; y += kLine) {
      const Tile part{tile.x, {y, std::min(y + kLine, tile.y.end)}};
      kernels_.interpolate(frame_list(rows.data(), part), weight, mixed.data(), kLine);
      kernels_.transpose(list(lines.data(), part), output(plane, part), plane.out_stride);
      for (std::int64_t i = 0; i <= tile.x.size(); ++i) rows[static_cast<std::size_t>(i)] += kLine;
    }
  }

  const ValidRegion& region_;
  const Box& box_;
  const FrameSlices& frames_;
  const DeskewKernels& kernels_;
};

}  // namespace

void deskew(const ValidRegion& region, const Box& box, const FrameSlices& frames,
            VolumeView<std::uint16_t> out, const DeskewKernels& kernels) {
  const Deskew job(region, box, frames, kernels);
  for (std::int64_t z = box.begin.z; z < box.end.z; ++z)
    job.plane(
        {z - box.begin.z, region.line(z), region.valid_x(z), out.row(0, z - box.begin.z), out.stride_y});
}

}  // namespace spim::detail
