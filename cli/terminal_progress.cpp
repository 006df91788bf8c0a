#include "terminal_progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace spim::cli {

namespace {

constexpr auto kTerminalPeriod = std::chrono::milliseconds(200);
constexpr auto kPlainPeriod = std::chrono::seconds(5);
constexpr int kBarWidth = 30;

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::min(seconds, 3.6e8) + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

TerminalProgress::TerminalProgress() : terminal_(isatty(STDERR_FILENO) != 0) {}

TerminalProgress::~TerminalProgress() {
  finish_line();
}

void TerminalProgress::begin(std::string_view stage, std::int64_t total) {
  const std::lock_guard lock(mutex_);
  finish_line();
  stage_ = stage;
  total_ = total;
  done_ = 0;
  started_ = Clock::now();
  const auto period = terminal_ ? Clock::duration(kTerminalPeriod) : Clock::duration(kPlainPeriod);
  next_draw_ = (started_ + period).time_since_epoch().count();
  if (terminal_) draw(started_);
}

void TerminalProgress::advance(std::int64_t bytes) noexcept {
  done_.fetch_add(bytes, std::memory_order_relaxed);
  const Clock::time_point now = Clock::now();
  if (now.time_since_epoch().count() < next_draw_.load(std::memory_order_relaxed)) return;
  // A worker that finds another one drawing goes on working.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || now.time_since_epoch().count() < next_draw_.load()) return;
  const auto period = terminal_ ? Clock::duration(kTerminalPeriod) : Clock::duration(kPlainPeriod);
  next_draw_ = (now + period).time_since_epoch().count();
  draw(now);
}

void TerminalProgress::end() {
  const std::lock_guard lock(mutex_);
  draw(Clock::now());
  finish_line();
}

void TerminalProgress::draw(Clock::time_point now) noexcept {
  try {
    const auto done = static_cast<double>(done_.load());
    const double fraction = total_ > 0 ? std::clamp(done / static_cast<double>(total_), 0.0, 1.0) : 1.0;
    const double elapsed = std::chrono::duration<double>(now - started_).count();
    const double rate = elapsed > 0 ? done / elapsed : 0;
    std::string text = fmt::format("{:3.0f}%  {:.1f} of {:.1f} MB  {:.1f} MB/s  ", fraction * 100, done / 1e6,
                                   static_cast<double>(total_) / 1e6, rate / 1e6);
    if (fraction >= 1)
      text += clock_text(elapsed) + " taken";
    else if (rate > 0)
      text += clock_text((static_cast<double>(total_) - done) / rate) + " left";
    if (terminal_) {
      const auto filled = static_cast<std::size_t>(fraction * kBarWidth);
      text = fmt::format("\r\033[K{} [{}{}] {}", stage_, std::string(filled, '='),
                         std::string(kBarWidth - filled, ' '), text);
    } else {
      text = fmt::format("{}: {}\n", stage_, text);
    }
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
    line_open_ = terminal_;
  } catch (...) {
    // Work does not stop because its progress could not be shown.
  }
}

void TerminalProgress::finish_line() noexcept {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

}  // namespace spim::cli
