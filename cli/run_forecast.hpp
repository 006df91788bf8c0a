#pragma once
/// What a run will need, found out before it runs.

#include <cstdint>

#include "channel_run.hpp"

namespace spim::cli {

/// Looks at every camera file, the output, the memory and the disk, tries out reading, correcting,
/// compressing and writing for two seconds, and prints what the run will take. Returns how many things, all
/// of which were said, are in its way. The request's plugins are resolved; nothing is left behind.
std::int64_t print_forecast(Session& session, const ChannelRequest& request);

}  // namespace spim::cli
