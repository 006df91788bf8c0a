#pragma once
/// Options of runs that go on after an interruption or are spread over processes.

#include <cstdint>
#include <string>
#include <vector>

#include "command_line.hpp"

namespace spim::cli {

/// The phases of a run, in their order.
enum class Phase { illumination, alignment, sweep, levels, finish };
std::string_view phase_word(Phase phase) noexcept;

/// What of a run this process is to do.
struct RunOptions {
  bool resume = false;
  std::int64_t tasks = 0;                 ///< of the sweep; 0: as many as are usual
  std::string phase;                      ///< empty: the whole run
  std::int64_t task = -1;                 ///< of the phase; -1: not chosen
  std::string part;                       ///< "I/N"; empty: not chosen
  std::string check_parts = "checksums";  ///< or "lengths": what finish compares of the files of parts
  bool all = false;
  bool print_config = false;

  /// True when other processes may work on the same output.
  bool shares() const { return !phase.empty(); }
  /// True when this process is to do something in `phase`.
  bool includes(Phase phase) const;
  /// Of `count` tasks of the phase, the first and the last + 1 that this process is to do. Throws UsageError
  /// for a task that does not exist.
  std::pair<std::int64_t, std::int64_t> share_of(std::int64_t count) const;
  /// Throws UsageError for options that contradict each other.
  void check() const;
};

/// --resume, --tasks, --phase, --task, --part, --all, --check-parts, --print-config.
void add_run_options(CommandLine& line, RunOptions& options);

}  // namespace spim::cli
