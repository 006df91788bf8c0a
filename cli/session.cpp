#include "session.hpp"

#include <cstdlib>

#include "terminal_progress.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

std::unique_ptr<Progress> make_progress(const CommonOptions& options) {
  if (options.silent) return std::make_unique<NoProgress>();
  return std::make_unique<TerminalProgress>();
}

}  // namespace

Session::Session(const CommonOptions& options, const CancelToken& cancel)
    : options_(options),
      logger_(options.lowest_level()),
      executor_(options.team(), cancel),
      progress_(make_progress(options)) {}

Session::~Session() = default;

void Session::log(LogLevel level, std::string_view message) noexcept {
  logger_.log(level, message);
}

bool Session::cancelled() const noexcept {
  return executor_.cancel().requested();
}

void Session::parallel_for(std::int64_t count, void (*body)(void* context, std::int64_t index),
                           void* context) {
  executor_.parallel_for(count, [&](std::int64_t i, int) { body(context, i); });
}

SearchPath plugin_search_path(const CommonOptions& options) {
  SearchPath path;
  for (const std::string& folder : options.plugin_dirs) path.folders.emplace_back(fs::absolute(folder));
  if (const char* variable = std::getenv("SPIMSTITCH_PLUGIN_PATH"))
    for (const std::string& folder : split(variable, ':'))
      if (!folder.empty()) path.folders.emplace_back(fs::absolute(folder));
  // The build tree mirrors the install tree, and both may be moved: the folder is found from the program.
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) path.folders.push_back((program.parent_path() / SPIMSTITCH_PLUGIN_FOLDER).lexically_normal());
  return path;
}

}  // namespace spim::cli
