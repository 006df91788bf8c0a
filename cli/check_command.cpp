/// check: whether a configuration file can be used, without touching any data.

#include <fmt/format.h>

#include <cstdio>

#include "command.hpp"
#include "command_line.hpp"
#include "common_options.hpp"
#include "session.hpp"
#include "spim/error.hpp"
#include "spim/host/config.hpp"
#include "spim/host/nearest.hpp"

namespace spim::cli {
namespace {

/// Lets the command itself look at its options.
void check_options(const Configuration& configuration, const std::string& file, const Invocation& call) {
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    known.emplace_back(command.name);
    if (command.name != configuration.command && command.installed_as != configuration.command) continue;
    (void)command.run(
        {fmt::format("spimstitch {}", command.name), {"--config", file, "--check-only"}, call.cancel});
    return;
  }
  throw UsageError(fmt::format("{}: /command is the unknown command '{}'; {}", file, configuration.command,
                               nearest_hint(configuration.command, known)));
}

}  // namespace

int run_check(const Invocation& call) {
  CommonOptions common;
  std::vector<std::string> files;
  CommandLine line(
      call.program, "CONFIG [options]",
      "Checks a configuration (--config FILE of other commands): that it is JSON, that its command, "
      "plugins and options exist, and that every value is within its limits. Nothing is read or "
      "written. Prints the configuration completed with all defaults of the plugins.");
  line.arguments({"CONFIG", "", "the JSON file"}, files, {1, 1});
  add_general_options(line, common);
  if (!line.parse(call.arguments)) return kDone;

  const std::string& file = files.front();
  Configuration configuration = load_configuration(file);
  if (configuration.command.empty())
    throw UsageError(fmt::format("{} names no command; add e.g. \"command\": \"dcimg2oblique\"", file));
  check_options(configuration, file, call);
  Session session(common, *call.cancel);
  try {
    configuration.selections = complete(configuration.selections, session.registry());
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", file, error.what()));
  }
  std::fputs(configuration_text(configuration).c_str(), stdout);
  return kDone;
}

}  // namespace spim::cli
