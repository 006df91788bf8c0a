#pragma once
/// The deskewed view of a stack: nothing is stored, reads interpolate between frames.

#include <memory>

#include "spim/host/frame_source.hpp"
#include "spim/host/volume_source.hpp"

namespace spim {

/// Volume whose plane z is column z of every frame. Between two frames voxels are interpolated linearly with
/// one weight per z and rounded to nearest; a voxel whose frame position is outside [0, frames−1] is zero and
/// not valid.
std::unique_ptr<VolumeSource> oblique_volume(std::unique_ptr<FrameSource> frames,
                                             const ScanSettings& settings);

}  // namespace spim
