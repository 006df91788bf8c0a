#pragma once
/// Frames as a volume, as they are: no deskew.

#include <memory>

#include "spim/host/frame_source.hpp"
#include "spim/host/volume_source.hpp"

namespace spim {

/// Volume whose plane z is frame z, row y is row y and x is column x_cam of the oriented, corrected frames.
/// `voxel_um` is what voxel_um() says; 0 on an axis where it is not known. load() brings whole rows of
/// frames, each loaded once while boxes in it are asked for; without it a read loads what it needs and keeps
/// nothing.
std::unique_ptr<VolumeSource> frame_volume(std::unique_ptr<FrameSource> frames, Vec3 voxel_um);

}  // namespace spim
