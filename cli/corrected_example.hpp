#pragma once
/// A camera frame of an acquisition, before and after correction, for people to judge.

#include <optional>

#include "spim/host/owned_image.hpp"
#include "spim/host/run_report.hpp"
#include "stitching.hpp"

namespace spim::cli {

/// Of a few frames of a few tiles the one that shows most, as pictures. Nothing when frames are not
/// corrected. Throws Error when none can be read.
std::optional<CorrectionPictures> corrected_example(Session& session, const StitchRequest& request);

/// The illumination that frames are divided by. Nothing without one. Throws Error.
std::optional<ProfilePictures> profile_pictures(const StitchRequest& request);

}  // namespace spim::cli
