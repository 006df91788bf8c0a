#include "common_options.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace spim::cli {

namespace {

/// Physical memory, or the limit of the control group this process runs in when that is lower.
std::int64_t machine_memory() {
  const std::int64_t physical = std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  std::int64_t limit = 0;
  std::ifstream file("/sys/fs/cgroup/memory.max");  // holds a number or "max"
  if (file >> limit && limit > 0) return std::min(limit, physical);
  return physical;
}

}  // namespace

LogLevel CommonOptions::lowest_level() const {
  if (log_level == "DEBUG") return LogLevel::debug;
  if (log_level == "INFO") return LogLevel::info;
  if (log_level == "WARNING") return LogLevel::warning;
  return LogLevel::error;
}

int CommonOptions::team() const {
  const std::int64_t wanted = std::max(workers, writers);
  return wanted > 0 ? static_cast<int>(wanted) : 0;
}

std::int64_t CommonOptions::memory() const {
  return memory_bytes > 0 ? memory_bytes : machine_memory() / 4;
}

void add_general_options(CommandLine& line, CommonOptions& options) {
  line.group("General");
  line.choice({"log-level", "LEVEL", "lowest level of messages: DEBUG, INFO, WARNING or ERROR"},
              options.log_level, {"DEBUG", "INFO", "WARNING", "ERROR"});
  line.flag({"silent", "", "show no progress"}, options.silent);
  line.texts(
      {"plugin-dir", "FOLDER",
       "search plugins here first, before the folders of SPIMSTITCH_PLUGIN_PATH and the installed ones"},
      options.plugin_dirs);
}

void add_work_options(CommandLine& line, CommonOptions& options) {
  line.group("Machine");
  line.integer({"n-workers,workers", "N", "threads that read, compute and compress; 0 means one per core"},
               options.workers, {0, 4096});
  line.integer(
      {"n-writers", "N",
       "threads that compress and write; these are the workers, so the larger of the two numbers counts"},
      options.writers, {0, 4096});
  line.bytes({"memory", "SIZE",
              "most memory to use, e.g. 512M or 4G; without it a quarter of the memory of the machine"},
             options.memory_bytes);
}

void add_overwrite_option(CommandLine& line, CommonOptions& options) {
  line.flag({"overwrite", "", "replace an existing output"}, options.overwrite);
}

}  // namespace spim::cli
