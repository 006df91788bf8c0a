#pragma once
/// From frames in memory to a box of the deskewed volume.

#include <cstdint>
#include <span>

#include "deskew_kernels.hpp"
#include "spim/host/oblique_geometry.hpp"
#include "spim/image.hpp"

namespace spim::detail {

/// Part of one frame in memory, in the layout of FrameSource::load(): sample (z, y) of the box that is
/// computed is data[(z − box.begin.z)·row_stride + (y − box.begin.y)].
struct FrameSlice {
  const std::uint16_t* data = nullptr;
  std::int64_t row_stride = 0;
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
