#include "logger.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <exception>
#include <mutex>
#include <string>
#include <unordered_set>

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
  std::mutex mutex;
  std::unordered_set<std::string> warned;  ///< with mutex

  /// False when the same was said before. A run opens the same file for each of its phases.
  bool is_new(std::string_view warning) {
    constexpr std::size_t kMost = 1000;
    const std::lock_guard lock(mutex);
    if (warned.contains(std::string(warning))) return false;
    if (warned.size() < kMost) warned.emplace(warning);
    return true;
  }
};

Logger::Logger(LogLevel lowest) : state_(std::make_unique<State>()) {
  state_->logger.set_level(to_spdlog(lowest));
  // On a terminal a message first wipes the progress bar, which draws itself again below.
  state_->logger.set_pattern(isatty(STDERR_FILENO) != 0 ? "\r\033[K%^%l%$: %v" : "%l: %v");
}

Logger::~Logger() = default;

void Logger::log(LogLevel level, std::string_view message) noexcept {
  try {
    if (level == LogLevel::warning && !state_->is_new(message)) return;
  } catch (const std::exception&) {
    // Said once too often is better than not at all.
  }
  state_->logger.log(to_spdlog(level), message);
}

}  // namespace spim::cli
