#pragma once
/// The metadata of an OME-Zarr image, `.zattrs` of 0.4 or `zarr.json` of 0.5: the pyramid, where its voxels
/// lie, how to show it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "display_window.hpp"
#include "spim/volume_writer.hpp"

namespace spim::zarr {

/// How a viewer shows a channel.
struct ChannelLook {
  std::string label;
  std::string color;  ///< six hexadecimal digits
  GreyRange window;
};

enum class OmeVersion { v04, v05 };

/// The text of the group's `.zattrs` (0.4) or `zarr.json` (0.5): axes t,c,z,y,x in micrometres; level l has
/// scale 2^l·voxel and its first voxel's centre at origin + (2^l − 1)/2·voxel, since it is the mean of 2^l
/// voxels on each axis.
std::string encode_ome(OmeVersion version, const VolumeSpec& spec, const std::string& name,
                       std::span<const ChannelLook> channels);

/// One level of a pyramid as the group describes it.
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

/// Parses the first image of a group: `.zattrs` of OME-NGFF 0.1 to 0.4, or `zarr.json` of 0.5. Throws Error
/// naming `subject`, also for paths that lead out of the group and axes that do not end with z, y, x.
OmeImage parse_ome(std::string_view text, const std::string& subject);

}  // namespace spim::zarr
