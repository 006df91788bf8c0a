#pragma once
/// The illumination profile of an acquisition, measured when the user gives none.

#include <filesystem>
#include <vector>

#include "stitching.hpp"

namespace spim::cli {

/// Measures the profile on frames of `tiles`, as oblique-illum-corr does with the settings of the original
/// pipeline, and publishes it as the TIFF file `path`, enlarged as the frames are. The dark level of the
/// request is also the background. Throws Error when `path` exists and may not be replaced, and when the
/// profile cannot be measured.
void measure_flat(Session& session, const StitchRequest& request, const std::vector<TilePath>& tiles,
                  const std::filesystem::path& path);

}  // namespace spim::cli
