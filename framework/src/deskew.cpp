#include "deskew.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace spim::detail {

namespace {

/// Voxels of a tile along x (frames) and y: two cache lines of each of 64 frames, 8 KiB in and 8 KiB out,
/// which is half of a 32 KiB first-level cache.
constexpr std::int64_t kTile = 64;

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

class Deskew {
 public:
  Deskew(const ValidRegion& region, const Box& box, const FrameSlices& frames, const DeskewKernels& kernels)
      : region_(region), box_(box), frames_(frames), kernels_(kernels) {}

  void plane(const Plane& plane) const {
    const Index3 size = box_.size();
    for (std::int64_t y = 0; y < size.y; y += kTile) {
      const std::int64_t rows = std::min(kTile, size.y - y);
      for (std::int64_t x = 0; x < size.x; x += kTile)
        tile(plane, {x, y}, {std::min(kTile, size.x - x), rows});
    }
  }

 private:
  struct Pair {
    std::int64_t x, y;
  };

  void tile(const Plane& plane, Pair at, Pair size) const {
    std::uint16_t* const out = plane.out + at.y * plane.out_stride + at.x;
    const std::int64_t first = box_.begin.x + at.x;
    if (first >= plane.valid.end || first + size.x <= plane.valid.begin) {
      for (std::int64_t y = 0; y < size.y; ++y)
        std::memset(out + y * plane.out_stride, 0, static_cast<std::size_t>(size.x) * 2);
      return;
    }
    if (plane.line.weight == 0)
      copy(plane, at, size, out);
    else
      interpolate(plane, at, size, out);
  }

  /// Row of `frame` in this plane from y on; zeros when the frame is not among those of the box, which
  /// happens beside the valid voxels only.
  const std::uint16_t* row(const Plane& plane, std::int64_t frame, std::int64_t y) const {
    const std::int64_t i = frame - frames_.first;
    if (i < 0 || i >= static_cast<std::int64_t>(frames_.slices.size())) return kZeroRow.data();
    const FrameSlice& slice = frames_.slices[static_cast<std::size_t>(i)];
    return slice.data + plane.z * slice.row_stride + y;
  }

  bool valid(const Plane& plane, std::int64_t x) const {
    return x >= plane.valid.begin && x < plane.valid.end;
  }

  std::ptrdiff_t ahead() const { return frames_.slices.empty() ? 0 : frames_.slices[0].row_stride; }

  RowList list(const std::uint16_t* const* rows, Pair size) const {
    return {rows, static_cast<std::size_t>(size.x), static_cast<std::size_t>(size.y), ahead()};
  }

  void copy(const Plane& plane, Pair at, Pair size, std::uint16_t* out) const {
    std::array<const std::uint16_t*, kTile> rows;
    for (std::int64_t i = 0; i < size.x; ++i) {
      const std::int64_t x = box_.begin.x + at.x + i;
      rows[static_cast<std::size_t>(i)] =
          valid(plane, x) ? row(plane, region_.direction * x + plane.line.frame, at.y) : kZeroRow.data();
    }
    kernels_.transpose(list(rows.data(), size), out, plane.out_stride);
  }

  void interpolate(const Plane& plane, Pair at, Pair size, std::uint16_t* out) const {
    // In the order of x the frame positions rise or fall by one: neighbouring voxels share a frame. When they
    // fall, voxel i lies between rows i (the frame above it) and i + 1 (the one below).
    std::array<const std::uint16_t*, kTile + 1> rows;
    const bool rising = region_.direction > 0;
    for (std::int64_t i = 0; i <= size.x; ++i) {
      const std::int64_t below = region_.direction * (box_.begin.x + at.x + i) + plane.line.frame;
      rows[static_cast<std::size_t>(i)] = row(plane, rising ? below : below + 1, at.y);
    }
    const auto weight = static_cast<float>(rising ? plane.line.weight : 1 - plane.line.weight);
    alignas(64) std::array<std::uint16_t, kTile * kTile> mixed;
    kernels_.interpolate(list(rows.data(), size), weight, mixed.data(), kTile);

    for (std::int64_t i = 0; i < size.x; ++i) {
      std::uint16_t* const line = mixed.data() + i * kTile;
      if (!valid(plane, box_.begin.x + at.x + i)) std::fill_n(line, size.y, std::uint16_t{0});
      rows[static_cast<std::size_t>(i)] = line;
    }
    RowList lines = list(rows.data(), size);
    lines.ahead = 0;
    kernels_.transpose(lines, out, plane.out_stride);
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
