#pragma once
/// The deskewed volumes of single tiles that a run keeps beside its output.

#include <filesystem>
#include <functional>
#include <string>

#include "spim/host/run_folder.hpp"
#include "spim/host/task_layout.hpp"
#include "stitching.hpp"
#include "tile_folder.hpp"

namespace spim::cli {

/// Where the volume of a tile is kept: CHANNEL_destriped_precomputed/X/X_Y/Z beside the output, as the
/// original script calls it.
std::filesystem::path stack_path(const StitchRequest& request, const std::filesystem::path& tile);

/// "stack-N": the task of the ledger that is tile N.
std::string stack_task(std::size_t tile);

/// The volume of one tile.
struct TileStack {
  OpenTile tile;
  std::filesystem::path path;
  Selection writer;  ///< completed
  TaskShape shape;   ///< one task: files do not depend on the order in which workers end
};

/// Tile number `tile` of `folder`, corrected as `request` says. Touches nothing.
TileStack open_stack(Session& session, const StitchRequest& request, TileFolder& folder, std::size_t tile);

/// What the volumes are made with.
struct StackKeeping {
  const StitchRequest& request;                         ///< resolved, with the flat that the run uses
  const RunFolder& folder;                              ///< in whose ledger they are
  const Configuration& saved;                           ///< kept beside each
  std::function<bool(const std::string& task)> wanted;  ///< false: it is there
};

/// Writes the volumes of all tiles, one after the other, each whole or not at all.
void keep_stacks(Session& session, const StackKeeping& keeping);

}  // namespace spim::cli
