#pragma once
/// The page about a finished run, OUTPUT.report.html.

#include <filesystem>

#include "stitching.hpp"

namespace spim::cli {

/// OUTPUT.report.html.
std::filesystem::path report_page_path(const std::filesystem::path& output);

/// Writes the page about `output`, which is published with its manifest beside it. Looks at the volume and at
/// a few camera frames, corrected as `request` (which holds what the earlier phases made) says. May be done
/// again at any time. What cannot be shown is said on the page; a page that cannot be written is a warning,
/// since the volume is complete. Throws Cancelled.
void save_run_report(Session& session, const StitchRequest& request, const std::filesystem::path& output);

}  // namespace spim::cli
