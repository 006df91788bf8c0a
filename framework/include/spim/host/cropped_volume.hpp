#pragma once
/// A part of another volume.

#include <memory>

#include "spim/host/volume_source.hpp"

namespace spim {

/// The voxels of `box` of `source`, the first of them being voxel (0,0,0). Throws Error when `box` is empty
/// or does not lie inside the source's shape.
std::unique_ptr<VolumeSource> cropped_volume(std::shared_ptr<VolumeSource> source, const Box& box);

}  // namespace spim
