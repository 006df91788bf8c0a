#pragma once
/// The deskewed volumes of single tiles that a run keeps beside its output.

#include <filesystem>
#include <functional>
#include <string>

#include "spim/host/run_folder.hpp"
#include "stitching.hpp"

namespace spim::cli {

/// Where the volume of a tile is kept: CHANNEL_destriped_precomputed/X/X_Y/Z beside the output, as the
/// original script calls it.
std::filesystem::path stack_path(const StitchRequest& request, const std::filesystem::path& tile);

/// What the volumes are made with.
struct StackKeeping {
  const StitchRequest& request;                         ///< resolved, with the flat that the run uses
  const RunFolder& folder;                              ///< task "stack-N" of its ledger is tile N
  const Configuration& saved;                           ///< kept beside each
  std::function<bool(const std::string& task)> wanted;  ///< false: it is there
};

/// Writes the volumes of all tiles, one after the other, each whole or not at all.
void keep_stacks(Session& session, const StackKeeping& keeping);

}  // namespace spim::cli
