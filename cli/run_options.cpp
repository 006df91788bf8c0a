#include "run_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spim/error.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

constexpr std::string_view kPhaseWords[] = {"illumination", "alignment", "sweep", "levels", "finish"};
constexpr std::int64_t kMostParts = 1'000'000;

/// "I/N" with 0 ≤ I < N.
std::pair<std::int64_t, std::int64_t> parse_part(const std::string& text) {
  const std::vector<std::string> numbers = split(text, '/');
  try {
    if (numbers.size() == 2) {
      const std::int64_t i = parse_integer(numbers[0]), n = parse_integer(numbers[1]);
      if (i >= 0 && i < n && n <= kMostParts) return {i, n};
    }
  } catch (const UsageError&) {
    // said below
  }
  throw UsageError(
      fmt::format("option --part: \"{}\" is not I/N with I from 0 to N - 1, e.g. 0/3, 1/3 and 2/3", text));
}

}  // namespace

std::string_view phase_word(Phase phase) noexcept {
  return kPhaseWords[static_cast<std::size_t>(phase)];
}

bool RunOptions::includes(Phase which) const {
  return phase.empty() || phase == phase_word(which);
}

std::pair<std::int64_t, std::int64_t> RunOptions::share_of(std::int64_t count) const {
  if (task >= 0) {
    if (task >= count)
      throw UsageError(fmt::format("option --task: the phase {} has {} tasks, 0 to {}; there is no {}", phase,
                                   count, count - 1, task));
    return {task, task + 1};
  }
  if (part.empty()) return {0, count};
  const auto [i, n] = parse_part(part);
  return {count * i / n, count * (i + 1) / n};
}

void RunOptions::check() const {
  const int chosen = (task >= 0) + !part.empty() + all;
  if (phase.empty() && chosen > 0)
    throw UsageError("--task, --part and --all say which share of a phase to do; name it with --phase");
  if (!phase.empty() && chosen > 1)
    throw UsageError("--task, --part and --all contradict each other; give one of them");
  if (!phase.empty() && resume)
    throw UsageError("--phase goes on with what is there in any case; leave out --resume");
  if (!part.empty()) parse_part(part);
}

void add_run_options(CommandLine& line, RunOptions& options) {
  line.group("Run");
  line.flag({"resume", "", "go on with a run that was interrupted: what is done is checked and kept"},
            options.resume);
  line.integer({"tasks", "N",
                "pieces that the work is cut into, each of which is lost as a whole when a run is "
                "interrupted; 0 means "
                "as many as suit the volume"},
               options.tasks, {0, 1e6});
  std::vector<std::string> words;
  for (const std::string_view word : kPhaseWords) words.emplace_back(word);
  line.choice(
      {"phase", "PHASE",
       "do only this: illumination, alignment, sweep, levels or finish. Any number of processes, on any "
       "machines that see the same folders, may do parts of one run with the same options; the exit code is "
       "0 "
       "for done, 65 for bad data, 75 when an earlier phase is not complete yet, 76 when stopped by a "
       "signal"},
      options.phase, std::move(words));
  line.integer({"task", "I", "do only task I of the phase, counted from 0"}, options.task, {-1, 1e9});
  line.text({"part", "I/N", "do the I-th of N equal shares of the phase, counted from 0"}, options.part);
  line.flag({"all", "", "do all of the phase; so it is without --task and --part"}, options.all);
  line.choice(
      {"check-parts", "WHAT",
       "what --phase finish compares of the files that other processes wrote: checksums, for which it reads "
       "them, or lengths"},
      options.check_parts, {"checksums", "lengths"});
  line.flag({"print-config", "", "show the completed options as a configuration file, and do nothing"},
            options.print_config);
}

}  // namespace spim::cli
