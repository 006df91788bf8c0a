#pragma once
/// The services of the program as a plugin sees them.

#include <functional>

#include "spim/host.hpp"
#include "spim/host/executor.hpp"

namespace spim {

/// Host of all plugins of a command: its log, its cancel token and its team of threads. Outlives every
/// instance that was created with it.
class HostServices final : public Host {
 public:
  /// Receives the lines that plugins log. [any thread, several at once]
  using LogSink = std::function<void(LogLevel level, std::string_view message)>;

  /// `executor` outlives this object; an empty sink drops the lines.
  explicit HostServices(const Executor& executor, LogSink sink = {});

  /// Whatever the sink throws is dropped: a log never stops the work.
  void log(LogLevel level, std::string_view message) noexcept override;
  bool cancelled() const noexcept override;
  /// Throws Cancelled once the user asked to stop.
  void parallel_for(std::int64_t count, void (*body)(void* context, std::int64_t index),
                    void* context) override;

 private:
  const Executor* executor_;
  LogSink sink_;
};

}  // namespace spim
