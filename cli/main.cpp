/// One program for all commands. Installed under a command's own name it is that command; called spimstitch,
/// the first argument says which.

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <new>

#include "command.hpp"
#include "help_text.hpp"
#include "interrupt.hpp"
#include "spim/error.hpp"
#include "values.hpp"
#include "version.hpp"

namespace spim::cli {

namespace {

std::string overview() {
  HelpText text;
  text.paragraph("Usage: spimstitch COMMAND [options]");
  text.paragraph(
      "Turns oblique light-sheet acquisitions into one stitched, multi-resolution volume. "
      "`spimstitch help COMMAND` explains a command.");
  text.title("Commands");
  for (const Command& command : commands()) text.entry(command.name, command.summary);
  text.title("Help");
  text.entry("help [COMMAND]", "show this text, or that of a command");
  text.entry("--version", "show the version");
  return text.str();
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    if (command.name == name || (!command.installed_as.empty() && command.installed_as == name))
      return command;
    known.emplace_back(command.name);
  }
  throw UsageError(fmt::format("spimstitch has no command {}{}", name, suggestion(name, known)));
}

/// Every tile of a mosaic keeps its camera file open, and shells commonly allow 1024 unless asked for more.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // where it is refused, the reader says which file was one too many
}

/// Blosc takes and gives back a few MiB for every chunk, an aligner some ten for every window. Kept by malloc
/// they need not be mapped and cleared each time (docs/performance.md); what is kept is bounded by the second
/// threshold for each worker.
void keep_freed_memory() {
  constexpr int kLargestKept = 4 << 20, kMostKept = 16 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kLargestKept);
  ::mallopt(M_TRIM_THRESHOLD, kMostKept);
}

int run(const std::string& program, std::vector<std::string> arguments) {
  const CancelToken& cancel = catch_signals();
  allow_many_files();
  keep_freed_memory();
  for (const Command& command : commands())
    if (!command.installed_as.empty() && command.installed_as == program)
      return command.run({program, std::move(arguments), &cancel});
  if (arguments.empty()) {
    std::fputs(overview().c_str(), stderr);
    return kUsage;
  }
  std::string name = arguments.front();
  arguments.erase(arguments.begin());
  if (name == "--version" || name == "version") return std::printf("spimstitch %s\n", kVersion), kDone;
  if (name == "--help" || name == "-h" || name == "help") {
    if (arguments.empty()) return std::fputs(overview().c_str(), stdout), kDone;
    name = arguments.front();
    arguments = {"--help"};
  }
  const Command& command = find_command(name);
  return command.run({fmt::format("spimstitch {}", command.name), std::move(arguments), &cancel});
}

int complain(std::string_view message, ExitCode code) {
  fmt::print(stderr, "spimstitch: {}\n", message);
  return code;
}

}  // namespace

}  // namespace spim::cli

int main(int argc, char** argv) {
  using namespace spim::cli;
  try {
    const std::string program = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "spimstitch";
    return run(program, std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const spim::Cancelled& error) {
    return complain(error.what(), kInterrupted);
  } catch (const spim::UsageError& error) {
    return complain(error.what(), kUsage);
  } catch (const std::bad_alloc&) {
    return complain("the memory of the machine is used up; give less with --memory or --n-workers", kFailed);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  } catch (...) {
    return complain("something failed that does not say what it is", kFailed);
  }
}
