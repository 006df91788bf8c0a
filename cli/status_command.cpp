/// spimstitch status: what of a run is done.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "command.hpp"
#include "command_line.hpp"
#include "common_options.hpp"
#include "run_manifest.hpp"
#include "spim/host/run_plan.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

/// How far one phase is.
struct PhaseState {
  std::int64_t done = 0, all = 0;
  std::vector<std::int64_t> missing;  ///< numbers within the phase
};

void print_phase(std::string_view name, const PhaseState& state) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, state.missing.size()); ++i)
    text += fmt::format("{}{}", i == 0 ? "; missing: " : ", ", state.missing[i]);
  if (state.missing.size() > kShown) text += fmt::format(" and {} more", state.missing.size() - kShown);
  fmt::print("{:<14}{} of {} done{}\n", name, state.done, state.all, text);
}

std::map<bool, PhaseState> states_of(const RunFolder& folder, const TaskLayout& layout) {
  std::map<bool, PhaseState> states;  // of the upper levels: true
  for (const TaskId task : layout.tasks()) {
    PhaseState& state = states[task.level > 0];
    const auto entry = folder.entry(task_name(task));
    if (entry && folder.missing_file(*entry).empty())
      ++state.done;
    else
      state.missing.push_back(state.all);
    ++state.all;
  }
  return states;
}

int unfinished(const std::string& output, const RunFolder& folder) {
  fmt::print("{}: unfinished\n", output);
  for (const char* product : {"illumination", "alignment"})
    if (folder.done(product)) print_phase(product, {1, 1, {}});
  const auto text = folder.document("layout.json");
  if (!text) {
    fmt::print("the sweep has not begun\n");
    return kIncomplete;
  }
  const TaskLayout layout(parse_task_shape(*text, (folder.path() / "layout.json").string()));
  const auto states = states_of(folder, layout);
  print_phase("sweep", states.at(false));
  if (states.contains(true)) print_phase("levels", states.at(true));
  print_phase("finish", {0, 1, {0}});
  return kIncomplete;
}

}  // namespace

int run_status(const Invocation& call) {
  std::vector<std::string> outputs;
  CommandLine line(
      call.program, "OUTPUT [OUTPUT...]",
      "Says what of the runs that make the volumes OUTPUT is done. The exit code is 0 when all of them are "
      "complete and 3 when something is missing.");
  line.arguments({"OUTPUT", "", "volume that is being made, or has been"}, outputs, {1, 64});
  CommonOptions common;
  add_general_options(line, common);
  if (!line.parse(call.arguments)) return kDone;
  int code = kDone;
  for (const std::string& output : outputs) {
    const RunFolder folder(output);
    if (folder.exists())
      code = std::max(code, unfinished(output, folder));
    else if (published_plan(output))
      fmt::print("{}: complete\n", output);
    else
      throw Error(
          fmt::format("{}: there is no run of this output, neither {} nor {}; name the volume, e.g. "
                      "CHANNEL_stitched.ngff",
                      output, folder.path().string(), manifest_path(output).string()));
  }
  return code;
}

}  // namespace spim::cli
