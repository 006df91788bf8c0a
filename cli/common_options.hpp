#pragma once
/// Options that many commands share: one name, one meaning, one default.

#include <cstdint>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "spim/host.hpp"

namespace spim::cli {

struct CommonOptions {
  std::string log_level = "WARNING";
  bool silent = false;
  std::int64_t workers = 0;  ///< 0: one per core
  std::int64_t writers = 0;
  std::int64_t memory_bytes = 0;  ///< 0: a quarter of the machine
  std::vector<std::string> plugin_dirs;
  bool overwrite = false;

  LogLevel lowest_level() const;
  /// Threads of the one team that reads, computes, compresses and writes.
  int team() const;
  /// What the user asked for, or a quarter of the memory this process may use.
  std::int64_t memory() const;
};

/// --log-level, --silent, --plugin-dir: for every command.
void add_general_options(CommandLine& line, CommonOptions& options);
/// --n-workers, --n-writers, --memory: for commands that compute.
void add_work_options(CommandLine& line, CommonOptions& options);

/// --overwrite: for commands that write.
void add_overwrite_option(CommandLine& line, CommonOptions& options);

}  // namespace spim::cli
