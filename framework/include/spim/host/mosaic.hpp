#pragma once
/// Tiles on the stage, seen as one volume.

#include <memory>
#include <string>
#include <vector>

#include "spim/host/volume_source.hpp"

namespace spim {

/// One tile and where it is.
struct PlacedTile {
  std::shared_ptr<VolumeSource> volume;
  Vec3 position_voxels;  ///< of voxel (0,0,0) of the tile in the mosaic; may be a fraction
  std::string name;      ///< for messages: the path of the tile
};

enum class Interpolation { nearest, linear };

struct MosaicSettings {
  Interpolation interpolation = Interpolation::nearest;
  Index3 output_offset;  ///< first voxel of the mosaic that is produced
  Index3 output_size;    ///< 0 on an axis: to the end
};

/// The volume of all tiles. A voxel inside one tile's valid region is copied; inside several it is the mean
/// weighted by d², d the distance to the nearest face of each tile's own valid region, counted so that a face
/// voxel has d > 0. Positions are rebased so that the smallest is 0 on each axis. Throws Error when tiles
/// differ in type or voxel size.
std::unique_ptr<VolumeSource> mosaic(std::vector<PlacedTile> tiles, const MosaicSettings& settings);

}  // namespace spim
