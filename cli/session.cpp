#include "session.hpp"

#include <cstdlib>

#include "spim/host/search_path.hpp"
#include "terminal_progress.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

Session::Session(const CommonOptions& options, const CancelToken& cancel)
    : options_(options),
      logger_(options.lowest_level()),
      executor_(options.team(), cancel),
      host_(executor_, [this](LogLevel level, std::string_view message) { log(level, message); }),
      terminal_(options.silent ? nullptr : std::make_unique<TerminalProgress>()) {}

Session::~Session() = default;

Progress& Session::progress() noexcept {
  if (terminal_) return *terminal_;
  return silence_;
}

void Session::expect(std::vector<Leg> legs) {
  if (terminal_) terminal_->expect(std::move(legs));
}

void Session::enter(const std::string& name) {
  if (terminal_) terminal_->enter(name);
}

void Session::complete() {
  if (terminal_) terminal_->complete();
}

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
