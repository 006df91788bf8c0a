#pragma once
/// The services of one running command: log, workers, progress, plugins.

#include <memory>
#include <string>
#include <vector>

#include "common_options.hpp"
#include "logger.hpp"
#include "session_notes.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/frame_bridge.hpp"
#include "spim/host/host_services.hpp"
#include "spim/host/progress.hpp"
#include "spim/host/registry.hpp"
#include "spim/host/stage_meter.hpp"
#include "spim/host/time_estimate.hpp"

namespace spim::cli {

class TerminalProgress;

class Session {
 public:
  Session(const CommonOptions& options, const CancelToken& cancel);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void log(LogLevel level, std::string_view message) noexcept {
    logger_.log(level, message);
    if (level == LogLevel::warning) notes_.warn(message);
  }
  void warn(std::string_view message) noexcept { log(LogLevel::warning, message); }
  /// Warnings so far, and what else is worth repeating.
  SessionNotes& notes() noexcept { return notes_; }
  const CommonOptions& options() const noexcept { return options_; }
  const Executor& executor() const noexcept { return executor_; }
  Progress& progress() noexcept;
  /// The phases that this command goes through, so that its progress is that of the whole.
  void expect(std::vector<Leg> legs);
  /// The phase `name` begins.
  void enter(const std::string& name);
  /// The last of them is over.
  void complete();
  /// What everything that is opened through the session costs.
  StageMeter& stages() noexcept { return stages_; }
  /// Frames that could not be read and were bridged.
  const std::shared_ptr<BadFrameLog>& bad_frames() const noexcept { return bad_frames_; }
  /// What plugins may ask for; outlives what is made of them as long as the session does.
  Host& host() noexcept { return host_; }
  /// The plugins that can be found; searched at the first call. [main thread]
  const Registry& registry();

 private:
  CommonOptions options_;
  Logger logger_;
  SessionNotes notes_;
  Executor executor_;
  HostServices host_;
  StageMeter stages_;
  std::unique_ptr<TerminalProgress> terminal_;  ///< none when silent
  NoProgress silence_;
  std::shared_ptr<BadFrameLog> bad_frames_ = std::make_shared<BadFrameLog>();
  std::unique_ptr<Registry> registry_;
};

/// --plugin-dir, then SPIMSTITCH_PLUGIN_PATH, then the folders that belong to this program.
SearchPath plugin_search_path(const CommonOptions& options);

}  // namespace spim::cli
