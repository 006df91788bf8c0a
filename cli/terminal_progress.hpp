#pragma once
/// Progress on standard error: a bar with rate and remaining time on a terminal, a line now and then
/// elsewhere.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "spim/host/progress.hpp"
#include "spim/host/time_estimate.hpp"

namespace spim::cli {

class TerminalProgress final : public Progress {
 public:
  TerminalProgress();
  ~TerminalProgress() override;

  void begin(std::string_view stage, std::int64_t total) override;
  void begin_counting(std::string_view stage, std::string_view unit, std::int64_t total) override;
  void advance(std::int64_t bytes) noexcept override;
  void end() override;

  /// The phases of the command: from now on what is shown is the progress of all of them.
  void expect(std::vector<Leg> legs);
  void enter(const std::string& name);
  /// All of them are over: says so, with the time they took.
  void complete();

 private:
  using Clock = std::chrono::steady_clock;

  /// How much of the stage is done, and how fast.
  std::string amount_text(double seconds) const;
  std::string stage_text(double seconds) const;
  std::string whole_text(double now, double seconds);
  std::string bar_text(double fraction) const;
  void show(const std::string& text);
  void draw(Clock::time_point now) noexcept;
  void finish_line() noexcept;

  bool terminal_;
  std::mutex mutex_;  ///< of what is drawn
  std::string stage_;
  std::string unit_;  ///< of what is counted; empty: bytes
  TimeEstimate whole_;
  Clock::time_point whole_started_{};
  double shown_ = 0;  ///< fraction of the whole that was shown: it never falls
  std::int64_t total_ = 0;
  Clock::time_point started_{};
  std::atomic<std::int64_t> done_{0};
  std::atomic<Clock::rep> next_draw_{0};
  bool line_open_ = false;
};

}  // namespace spim::cli
