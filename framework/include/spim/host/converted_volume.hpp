#pragma once
/// A stored volume of any format as a volume source, each chunk decoded once while it is needed.

#include <memory>

#include "spim/host/volume_source.hpp"
#include "spim/volume_reader.hpp"

namespace spim {

/// Level `level` of `reader`. `region` says which voxels hold data (see region_of_converted()).
std::unique_ptr<VolumeSource> converted_volume(std::shared_ptr<VolumeReader> reader, std::int32_t level,
                                               const ValidRegion& region, Vec3 voxel_um);

}  // namespace spim
