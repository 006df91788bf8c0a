/// check-plugin: tries out on one plugin what every plugin must do.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "command.hpp"
#include "command_line.hpp"
#include "common_options.hpp"
#include "plugin_listing.hpp"
#include "session.hpp"
#include "spim/error.hpp"

namespace spim::cli {
namespace {

namespace fs = std::filesystem;

/// A folder for what the checks write, removed at the end.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "spimstitch-check-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw Error(name + " cannot be created; set TMPDIR to a folder that can be written");
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

}  // namespace

int run_check_plugin(const Invocation& call) {
  CommonOptions common;
  bool json = false;
  std::string sample;
  std::vector<std::string> files, settings;
  CommandLine line(
      call.program, "FILE [--sample PATH] [options]",
      "Loads one plugin and checks that each of its items does what spimstitch relies on: refuses "
      "damaged files in words, reads parts as parts of the whole, works from several threads, reads "
      "back what it wrote. Ends with exit code 1 when a check fails.");
  line.arguments({"FILE", "", "the plugin, a file NAME.so"}, files, {1, 1});
  line.group("Checks");
  line.text(
      {"sample", "PATH", "a good file or folder for its readers; without it they are only given bad ones"},
      sample);
  line.texts({"set", "KIND.OPTION=VALUE", "option for the items of a kind"}, settings);
  line.flag({"json", "", "print JSON"}, json);
  add_general_options(line, common);
  if (!line.parse(call.arguments)) return kDone;
  if (!sample.empty() && !fs::exists(sample))
    throw UsageError(fmt::format("sample {} does not exist; correct --sample", sample));

  SearchPath path;
  path.files = {fs::absolute(files.front())};
  const Registry registry(path);
  const PluginRecord& plugin = *registry.plugins().front();
  if (!plugin.refusal.empty()) throw Error(plugin.refusal);

  Session session(common, *call.cancel);
  const Scratch scratch;
  ConformanceSettings suite;
  suite.host = &session.host();
  suite.executor = &session.executor();
  suite.scratch = scratch.path();
  suite.sample = sample;
  for (const std::string& setting : settings) set_option(suite.selections, setting);
  // A plugin may crash in a check: the last line of the log says in which.
  suite.started = [&](const ConformanceCheck& check) {
    session.log(LogLevel::info, fmt::format("{}: {}", check.item, check.name));
  };
  const std::vector<ConformanceCheck> checks = check_plugin(registry, plugin, suite);
  std::fputs((json ? checks_json(checks) : checks_text(checks)).c_str(), stdout);
  const bool failed = std::any_of(checks.begin(), checks.end(),
                                  [](const auto& check) { return check.outcome == Outcome::failed; });
  return failed ? kFailed : kDone;
}

}  // namespace spim::cli
