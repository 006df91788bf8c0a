#pragma once
/// From frames in memory to a box of the deskewed volume.

#include <cstdint>
#include <span>

#include "deskew_kernels.hpp"
#include "spim/host/frame_source.hpp"
#include "spim/host/oblique_geometry.hpp"
#include "spim/image.hpp"

namespace spim::detail {

/// First row of the block of y that holds row `y` of a stack. Frames in memory are blocked on this grid.
constexpr std::int64_t block_begin(std::int64_t y) noexcept {
  return y / BlockedView::kRows * BlockedView::kRows;
}

/// Part of one frame in memory, blocked as in BlockedView, from z = box.begin.z and y =
/// block_begin(box.begin.y) on.
struct FrameSlice {
  const std::uint16_t* data = nullptr;
  std::int64_t block_stride = 0;
};

/// The frames that a box needs: frame first + i is slices[i]. They are those of region.frames_for(box).
struct FrameSlices {
  std::int64_t first = 0;
  std::span<const FrameSlice> slices;
};

/// Computes `box` (inside region.shape) into `out`, of size box.size(): plane z takes row z of the frames,
/// and between two frames one weight per z. Voxels outside the region are zero. [any thread]
void deskew(const ValidRegion& region, const Box& box, const FrameSlices& frames,
            VolumeView<std::uint16_t> out, const DeskewKernels& kernels = deskew_kernels());

}  // namespace spim::detail
