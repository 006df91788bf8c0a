#pragma once
/// The folder layout of an acquisition: CHANNEL/<x>/<x>_<y>/<z>[.dcimg], coordinates in tenths of a
/// micrometre.

#include <filesystem>
#include <string>
#include <vector>

#include "spim/geometry.hpp"

namespace spim {

/// A tile found on disk.
struct TilePath {
  std::filesystem::path path;  ///< the camera file, or the root folder of the converted volume
  Vec3 stage_um;               ///< from its names
};

/// All camera files under `root`, sorted by x, y, z. Throws Error when there is none, when a name is not a
/// coordinate, when the x of a folder contradicts its parent's, or when two tiles have the same position.
std::vector<TilePath> find_camera_tiles(const std::filesystem::path& root);

/// All converted volumes under `root`: folders <x>/<x>_<y>/<z> that hold a blockfs volume
/// (1_1_1/precomputed.blockfs) or an OME-Zarr group. Same rules.
std::vector<TilePath> find_volume_tiles(const std::filesystem::path& root);

}  // namespace spim
