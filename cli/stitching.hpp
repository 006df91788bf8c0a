#pragma once
/// Tiles, of camera files or of converted volumes, put where they belong and written as one volume.

#include <string>
#include <vector>

#include "output_options.hpp"
#include "plugin_choice.hpp"
#include "scan_options.hpp"
#include "spim/host/tiles.hpp"

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

/// What is under the root of the layout.
enum class TileKind { camera_files, volumes };

/// Camera files when there is one under `root` (as far as the layout reaches), volumes otherwise.
TileKind kind_of_tiles(Session& session, const StitchRequest& request);

/// Positions in micrometres of `tiles`, from stage or alignment. Throws Error naming tiles that the alignment
/// does not know.
std::vector<Vec3> tile_positions(const std::vector<TilePath>& tiles, const StitchOptions& options,
                                 Vec3 voxel_um);

/// Finds the tiles, checks that they belong together, and writes their mosaic with `saved` beside it. The
/// request's plugins are resolved.
void stitch(Session& session, const StitchRequest& request, TileKind kind, Configuration saved);

}  // namespace spim::cli
