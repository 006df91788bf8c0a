#pragma once
/// Messages to the person at the terminal, on standard error.

#include <memory>
#include <string_view>

#include "spim/host.hpp"

namespace spim::cli {

class Logger {
 public:
  explicit Logger(LogLevel lowest);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  /// [any thread]
  void log(LogLevel level, std::string_view message) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spim::cli
