#pragma once
/// Progress on standard error: a bar with rate and remaining time on a terminal, a line now and then
/// elsewhere.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "spim/host/progress.hpp"

namespace spim::cli {

class TerminalProgress final : public Progress {
 public:
  TerminalProgress();
  ~TerminalProgress() override;

  void begin(std::string_view stage, std::int64_t total) override;
  void advance(std::int64_t bytes) noexcept override;
  void end() override;

 private:
  using Clock = std::chrono::steady_clock;

  void draw(Clock::time_point now) noexcept;
  void finish_line() noexcept;

  bool terminal_;
  std::mutex mutex_;  ///< of what is drawn
  std::string stage_;
  std::int64_t total_ = 0;
  Clock::time_point started_{};
  std::atomic<std::int64_t> done_{0};
  std::atomic<Clock::rep> next_draw_{0};
  bool line_open_ = false;
};

}  // namespace spim::cli
