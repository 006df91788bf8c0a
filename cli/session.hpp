#pragma once
/// The services of one running command: log, workers, progress, plugins.

#include <memory>

#include "common_options.hpp"
#include "logger.hpp"
#include "spim/host.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/progress.hpp"
#include "spim/host/registry.hpp"

namespace spim::cli {

class Session final : public Host {
 public:
  Session(const CommonOptions& options, const CancelToken& cancel);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void log(LogLevel level, std::string_view message) noexcept override;
  bool cancelled() const noexcept override;
  void parallel_for(std::int64_t count, void (*body)(void* context, std::int64_t index),
                    void* context) override;

  void warn(std::string_view message) noexcept { log(LogLevel::warning, message); }
  const CommonOptions& options() const noexcept { return options_; }
  const Executor& executor() const noexcept { return executor_; }
  Progress& progress() noexcept { return *progress_; }

 private:
  CommonOptions options_;
  Logger logger_;
  Executor executor_;
  std::unique_ptr<Progress> progress_;
};

/// --plugin-dir, then SPIMSTITCH_PLUGIN_PATH, then the folder that belongs to this program.
SearchPath plugin_search_path(const CommonOptions& options);

}  // namespace spim::cli
