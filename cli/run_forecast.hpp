#pragma once
/// What a run will need, found out before it runs.

#include "stitching.hpp"

namespace spim::cli {

/// Looks at every camera file, the output, the memory and the disk, tries out reading, correcting,
/// compressing and writing for two seconds, and prints what the run will take. Throws Error at the end when
/// something is in the way of the run, after all of it was said. The request's plugins are resolved; nothing
/// is left behind.
void print_forecast(Session& session, const StitchRequest& request);

}  // namespace spim::cli
