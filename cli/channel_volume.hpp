#pragma once
/// The volume of a channel while it is being made: what the files of ChannelRun share.

#include <memory>

#include "channel_run.hpp"
#include "tile_folder.hpp"

namespace spim::cli {

struct ChannelRun::Volume {
  std::unique_ptr<TileFolder> folder;
  StitchedVolume stitched;
  VolumeSpec spec;
  Index3 unit;  ///< 0: the format cannot be written in parts
};

}  // namespace spim::cli
