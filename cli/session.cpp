#include "session.hpp"

#include <cstdlib>

#include "spim/host/search_path.hpp"
#include "terminal_progress.hpp"

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
      host_(executor_, [this](LogLevel level, std::string_view message) { log(level, message); }),
      progress_(make_progress(options)) {}

Session::~Session() = default;

const Registry& Session::registry() {
  if (!registry_) registry_ = std::make_unique<Registry>(plugin_search_path(options_));
  return *registry_;
}

SearchPath plugin_search_path(const CommonOptions& options) {
  SearchPathSources sources;
  for (const std::string& folder : options.plugin_dirs) sources.plugin_dirs.emplace_back(folder);
  if (const char* variable = std::getenv("SPIMSTITCH_PLUGIN_PATH")) sources.environment = variable;
  std::error_code error;
  sources.executable = fs::read_symlink("/proc/self/exe", error);
  return search_path(sources);
}

}  // namespace spim::cli
