#pragma once
/// The `info` file of a blockfs volume: Neuroglancer's description of a precomputed volume.

#include <string>
#include <string_view>
#include <vector>

#include "spim/geometry.hpp"
#include "spim/volume_writer.hpp"

namespace spim::blockfs {

/// What `info` says about one level that a directory file does not.
struct ScaleInfo {
  std::string key;  ///< folder of the level, e.g. "2_2_2"
  Vec3 voxel_um;
  Vec3 origin_um;
};

/// Folder of `level`: "1_1_1", "2_2_2", "4_4_4" …
std::string level_key(std::int32_t level);

/// The text of `info` for `spec`, whose chunk is the real one.
///
/// Resolution is in nanometres. voxel_offset stays 0 whatever the origin: the grid of chunks begins at it, so
/// that programs which look blocks up by position (the original's server among them) would miss every block,
/// and a multiple of it on coarser levels need not be whole. The origin is therefore kept beside, exactly, in
/// a member of our own, "origin_um", that viewers ignore. There is no "mesh": it would announce a folder that
/// does not exist.
std::string encode_info(const VolumeSpec& spec);

/// Voxel sizes and origins of the scales of an `info` text that anybody wrote. Throws Error naming `subject`.
/// Resolution is taken as the nanometres that the format demands; volumes written by the original's
/// stack2oblique hold micrometres there and read 1000 times too small.
std::vector<ScaleInfo> parse_info(std::string_view text, const std::string& subject);

}  // namespace spim::blockfs
