#pragma once
/// `.zattrs` of an OME-Zarr 0.4 image: the pyramid, where its voxels lie, how to show it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "display_window.hpp"
#include "spim/volume_writer.hpp"

namespace spim::zarr {

/// How a viewer shows the one channel that is written.
struct ChannelLook {
  std::string label;
  std::string color;  ///< six hexadecimal digits
  GreyRange window;
};

/// The text of `.zattrs`: axes t,c,z,y,x in micrometres; level l has scale 2^l·voxel and its first voxel's
/// centre at origin + (2^l − 1)/2·voxel, since it is the mean of 2^l voxels on each axis.
std::string encode_ome(const VolumeSpec& spec, const std::string& name, const ChannelLook& look);

/// One level of a pyramid as `.zattrs` describes it.
struct OmeLevel {
  std::string path;  ///< relative, inside the group
  Vec3 voxel_um;     ///< 0 when it is not said or not in a unit of length
  Vec3 origin_um;
};

/// What an image group holds.
struct OmeImage {
  std::vector<OmeLevel> levels;
  std::vector<std::string> axes;  ///< names, in order; empty for versions without axes
};

/// Parses the first image of a `.zattrs` text of OME-NGFF 0.1 to 0.4. Throws Error naming `subject`, also for
/// paths that lead out of the group and axes that do not end with z, y, x.
OmeImage parse_ome(std::string_view text, const std::string& subject);

}  // namespace spim::zarr
