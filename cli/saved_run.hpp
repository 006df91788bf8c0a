#pragma once
/// A run that was done, from what was saved of it.

#include <filesystem>

#include "channel_run.hpp"

namespace spim::cli {

/// The request of the run whose configuration, as it was used, is the file `saved`, for the volume `output`:
/// with the illumination and the alignment that it had, none of which is made again. Throws Error and
/// UsageError.
ChannelRequest request_of_saved_run(Session& session, const std::filesystem::path& saved,
                                    const std::filesystem::path& output);

}  // namespace spim::cli
