#pragma once
/// metadata.txt, in which the microscope's control program notes down how it scanned. The form of the file is
/// described in docs/simulation.md.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "stitching.hpp"

namespace spim::cli {

struct ScanMetadata {
  std::filesystem::path file;
  double y_voxel_um = 0;
  double x_step_um = 0;
  std::int64_t camera_columns = 0;  ///< 0: not said
  bool negative_y = false;          ///< the stage's y runs against the rows
  /// Where stacks were taken, of all channels, as in the names of their files. Empty: not said.
  std::vector<Vec3> stage_um;
};

/// metadata.txt in the folder `channel`, or in the folder that it is in; nothing when there is none.
std::optional<std::filesystem::path> find_metadata(const std::string& channel);

/// Throws Error naming the file, the line, the value and the remedy when it has not the form of such files.
ScanMetadata read_metadata(const std::filesystem::path& file);

/// Reads what belongs to the first of `channels` and gives x-step-size, y-voxel-size and negative-y the
/// values from there that nothing else has set. Throws Error as read_metadata() does, and when the other
/// channels have a file that says something else. Nothing when there is no file.
std::optional<ScanMetadata> complete_from_metadata(CommandLine& line,
                                                   const std::vector<std::string>& channels);

/// Compares with the camera files of a request. Throws Error when a stack that `metadata` lists is missing,
/// unless holes are allowed; warns of all else that differs.
void check_metadata(Session& session, const StitchRequest& request, const ScanMetadata& metadata);

}  // namespace spim::cli
