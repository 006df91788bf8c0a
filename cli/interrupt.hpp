#pragma once
/// Ctrl-C and termination.

#include "spim/host/executor.hpp"

namespace spim::cli {

/// From here on SIGINT and SIGTERM ask the returned token to stop the work; a second one ends the process at
/// once. Writing past a file-size limit or into a closed pipe becomes an error instead of a signal.
const CancelToken& catch_signals();

}  // namespace spim::cli
