#pragma once
/// What a command is, and the one table of all of them (commands.cpp).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spim/host/executor.hpp"

namespace spim::cli {

/// How the program ends. A share of a run (--phase) ends as batch schedulers expect it: bad data (do not try
/// again), not yet (try again later), stopped with what is done kept.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kIncomplete = 3,  ///< spimstitch status: something is missing
  kBadData = 65,
  kNotYet = 75,
  kStopped = 76,
  kInterrupted = 130
};

/// One call of a command.
struct Invocation {
  std::string program;                 ///< as the user typed it, e.g. "spimstitch info" or "dcimg2oblique"
  std::vector<std::string> arguments;  ///< behind the command's name
  const CancelToken* cancel = nullptr;
};

/// A command: `spimstitch NAME`, and a program of its own when `installed_as` is not empty (add the same name
/// to cli/CMakeLists.txt). `run` returns an ExitCode; what it throws becomes one sentence and an exit code
/// in main.cpp.
struct Command {
  std::string_view name;
  std::string_view installed_as;
  std::string_view summary;  ///< one line without full stop
  int (*run)(const Invocation& call);
};

/// In the order of `spimstitch --help`.
std::span<const Command> commands() noexcept;

}  // namespace spim::cli
