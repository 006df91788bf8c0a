#pragma once
/// The folder layout of an acquisition: CHANNEL/<x>/<x>_<y>/<z>[.dcimg], coordinates in tenths of a
/// micrometre. Hidden entries and files that are no camera files (metadata.txt, *.config.json) do not count;
/// everything else must fit the layout, so that no tile is overlooked.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "spim/geometry.hpp"

namespace spim {

/// A tile found on disk.
struct TilePath {
  std::filesystem::path path;  ///< the camera file, or the file or root folder of the converted volume
  Vec3 stage_um;               ///< from its names
};

/// Says whether a file is a camera file, or a file or folder a volume.
using TileTest = std::function<bool(const std::filesystem::path&)>;

/// Ends in ".dcimg", in upper or lower case.
bool is_dcimg_name(const std::filesystem::path& file);

/// All camera files under `root`, sorted by x, y, z: those for which `is_camera_file` holds. Throws Error
/// when there is none, when a folder of a position holds none, when a name is not a coordinate, when the x of
/// a folder contradicts its parent's, or when two tiles have the same position.
std::vector<TilePath> find_camera_tiles(const std::filesystem::path& root,
                                        const TileTest& is_camera_file = is_dcimg_name);

/// All converted volumes under `root`: folders or files <x>/<x>_<y>/<z> for which `is_volume` holds. Same
/// rules; a folder <z> that holds no volume is an error too.
std::vector<TilePath> find_volume_tiles(const std::filesystem::path& root, const TileTest& is_volume);

/// Positions that `tiles` (at least one) leave out of the grid which their own x, y and z span, sorted by x,
/// y, z.
std::vector<Vec3> missing_positions(const std::vector<TilePath>& tiles);

/// "x 1234, y -56, z 0", in tenths of a micrometre as in the names of folders.
std::string position_text(Vec3 stage_um);

}  // namespace spim
