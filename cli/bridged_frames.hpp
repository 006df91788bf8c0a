#pragma once
/// What a run remembers and says of frames that it could not read.

#include <map>
#include <string>

#include "session.hpp"
#include "spim/host/frame_bridge.hpp"
#include "spim/host/run_folder.hpp"

namespace spim::cli {

/// Document of the run folder: all frames that were bridged, when everything is done.
inline constexpr const char* kBadFrames = "bad-frames.json";

/// The notes of a task that is done now: frames that this process has bridged so far, which are at least
/// those that the task needed. Nothing when there are none.
std::map<std::string, std::string> bad_frame_notes(const BadFrameLog& log);

/// Adds to `log` what the tasks in the ledger have bridged, whichever process did them.
void add_bad_frames_of(const RunFolder& folder, BadFrameLog& log);

/// Throws Error when more than half of the frames of a file are in the list: parts of a run see only their
/// own.
void refuse_many(const BadFrameLog& log);

/// Warns of what is in the list; of a long one the beginning.
void warn_of_bad_frames(Session& session);

}  // namespace spim::cli
