#pragma once
/// Tiles, of camera files or of converted volumes, put where they belong and written as one volume.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "output_options.hpp"
#include "plugin_choice.hpp"
#include "scan_options.hpp"
#include "spim/host/tiles.hpp"
#include "tile_folder.hpp"

namespace spim::cli {

/// Where tiles are and what is made of them.
struct StitchOptions {
  std::string input;      ///< root of the layout
  std::string alignment;  ///< file; empty: stage positions
  bool align_xz = false;  ///< take x and z from the alignment even if it says that only y was aligned
  bool negative_y = false;
  bool allow_missing = false;
  bool is_oblique = true;     ///< of converted volumes
  std::int64_t z_offset = 0;  ///< voxels between ranks of z; 0: z of the names
  std::string interpolate = "nearest";
  Index3 output_size;
  Index3 output_offset;
};

/// Everything that a stitching command needs.
struct StitchRequest {
  CommonOptions common;
  StitchOptions stitch;
  ScanOptions scan;
  StackOptions stack;
  OutputOptions output;
  PluginChoice plugins;
};

/// --alignment, --align-xz, --negative-y, --z-offset, --interpolate, --output-size, --output-offset,
/// --allow-missing-tiles.
void add_stitch_options(CommandLine& line, StitchOptions& options);

/// How the tiles of a request are read. The request's plugins are resolved.
TileAccess tile_access(const StitchRequest& request, TileKind kind);

/// Positions of tiles without an alignment, micrometres.
std::vector<Vec3> nominal_positions(const std::vector<TilePath>& tiles, const StitchOptions& options,
                                    Vec3 voxel_um);

/// Where tiles go.
struct Placement {
  std::vector<Vec3> positions_um;
  Vec3 origin_um;       ///< stage position of 0,0,0
  std::string verdict;  ///< of the alignment; "" for none
};
/// From stage or alignment. Throws Error naming tiles that the alignment does not know.
Placement place_tiles(const std::vector<TilePath>& tiles, const StitchOptions& options, Vec3 voxel_um);

/// Throws Error for what makes stitching pointless: a tile is missing, or the output cannot be written.
void check_stitching(const StitchRequest& request, const TileFolder& folder);

/// Files that the volume is made from, and that it must not replace.
std::vector<std::filesystem::path> stitching_inputs(const StitchRequest& request, const TileFolder& folder);

/// A tile of a volume, and where it was put.
struct StitchedTile {
  std::string path;
  Vec3 stage_um;    ///< from its names
  Vec3 nominal_um;  ///< of its voxel (0,0,0) without an alignment, on the stage
  Vec3 first_um;    ///< of its voxel (0,0,0) in the volume, on the stage
  ValidRegion region;
  std::int64_t bytes = 0;  ///< of its samples, before compression
};

/// All tiles as one volume, nothing of it computed yet.
struct StitchedVolume {
  std::unique_ptr<VolumeSource> volume;
  VolumeLabels labels;
  std::vector<StitchedTile> tiles;
};
/// Checks that the tiles belong together, and opens them.
StitchedVolume open_stitched(Session& session, const StitchRequest& request, TileFolder& folder);

/// Checks that the tiles belong together, and writes their mosaic with `saved` beside it.
void stitch(Session& session, const StitchRequest& request, TileFolder& folder, Configuration saved);

}  // namespace spim::cli
