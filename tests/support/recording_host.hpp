#pragma once
/// A host for tests of plugins: runs loops on the calling thread and remembers what is logged.

#include <mutex>
#include <string>
#include <vector>

#include "spim/host.hpp"

namespace spim::test {

class RecordingHost final : public Host {
 public:
  struct Line {
    LogLevel level;
    std::string text;
  };

  void log(LogLevel level, std::string_view message) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.push_back({level, std::string(message)});
  }
  bool cancelled() const noexcept override { return false; }
  void parallel_for(std::int64_t count, void (*body)(void*, std::int64_t), void* context) override {
    for (std::int64_t i = 0; i < count; ++i) body(context, i);
  }

  /// All lines of `level`, joined; "" when there are none.
  std::string logged(LogLevel level) const {
    const std::lock_guard lock(mutex_);
    std::string all;
    for (const Line& line : lines_)
      if (line.level == level) all += line.text + '\n';
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

}  // namespace spim::test
