#pragma once
/// seam-check of a stitched volume.

#include <string>

#include "plugin_choice.hpp"
#include "scan_options.hpp"
#include "session.hpp"

namespace spim::cli {

/// What is looked at, and when it is too bad.
struct VolumeSeamRequest {
  std::string volume;
  std::string alignment;
  ScanOptions scan;
  bool is_oblique = true;
  std::int64_t blocks = 3;
  double max_contrast = 0;  ///< 0: no limit
  bool json = false;
};

/// Prints how much the faces of tiles show, and returns an ExitCode. Throws Error when the volume or the
/// alignment cannot be read, or when they do not belong together.
int check_volume(Session& session, const VolumeSeamRequest& request, const Selections& plugins);

}  // namespace spim::cli
