#include "logger.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace spim::cli {

namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

struct Logger::State {
  spdlog::logger logger{"spimstitch", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()};
};

Logger::Logger(LogLevel lowest) : state_(std::make_unique<State>()) {
  state_->logger.set_level(to_spdlog(lowest));
  // On a terminal a message first wipes the progress bar, which draws itself again below.
  state_->logger.set_pattern(isatty(STDERR_FILENO) != 0 ? "\r\033[K%^%l%$: %v" : "%l: %v");
}

Logger::~Logger() = default;

void Logger::log(LogLevel level, std::string_view message) noexcept {
  state_->logger.log(to_spdlog(level), message);
}

}  // namespace spim::cli
