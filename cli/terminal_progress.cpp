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

double seconds_of(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

TerminalProgress::TerminalProgress() : terminal_(isatty(STDERR_FILENO) != 0) {}

TerminalProgress::~TerminalProgress() {
  finish_line();
}

void TerminalProgress::begin(std::string_view stage, std::int64_t total) {
  begin_counting(stage, "", total);
}

void TerminalProgress::begin_counting(std::string_view stage, std::string_view unit, std::int64_t total) {
  const std::lock_guard lock(mutex_);
  finish_line();
  stage_ = stage;
  unit_ = unit;
  total_ = total;
  done_ = 0;
  started_ = Clock::now();
  whole_.restart(seconds_of(started_));
  const auto period = terminal_ ? Clock::duration(kTerminalPeriod) : Clock::duration(kPlainPeriod);
  next_draw_ = (started_ + period).time_since_epoch().count();
  if (terminal_) draw(started_);
}

void TerminalProgress::expect(std::vector<Leg> legs) {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (!whole_.knows()) whole_started_ = now;
  whole_.expect(std::move(legs), seconds_of(now));
}

void TerminalProgress::enter(const std::string& name) {
  const std::lock_guard lock(mutex_);
  whole_.enter(name, seconds_of(Clock::now()));
}

void TerminalProgress::complete() {
  const std::lock_guard lock(mutex_);
  if (!whole_.knows()) return;
  stage_ = "complete";
  shown_ = 1;
  show(fmt::format("{}100% of all  {} taken", bar_text(shown_),
                   clock_text(seconds_of(Clock::now()) - seconds_of(whole_started_))));
  finish_line();
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

std::string TerminalProgress::amount_text(double seconds) const {
  const auto done = static_cast<double>(std::min(done_.load(), total_)), total = static_cast<double>(total_);
  if (!unit_.empty()) return fmt::format("{} of {} {}", done_.load(), total_, unit_);
  const auto text = [&](double part, double all, const char* what) {
    return fmt::format("{:.1f} of {:.1f} MB{}  {:.1f} MB/s", part / 1e6, all / 1e6, what,
                       seconds > 0 ? part / seconds / 1e6 : 0.0);
  };
  if (!whole_.knows() || whole_.leg().camera_bytes <= 0 || total <= 0) return text(done, total, "");
  const double camera = whole_.leg().camera_bytes;
  return text(camera * done / total, camera, " of camera data");
}

/// A stage on its own.
std::string TerminalProgress::stage_text(double seconds) const {
  const auto done = static_cast<double>(done_.load());
  const double fraction = total_ > 0 ? std::clamp(done / static_cast<double>(total_), 0.0, 1.0) : 1.0;
  std::string text = fmt::format("{:3.0f}%  {}  ", fraction * 100, amount_text(seconds));
  if (fraction >= 1)
    text += clock_text(seconds) + " taken";
  else if (done > 0 && seconds > 0)
    text += clock_text((static_cast<double>(total_) - done) * seconds / done) + " left";
  return bar_text(fraction) + text;
}

/// A stage of a command whose phases are known: part and time are those of the whole.
std::string TerminalProgress::whole_text(double now, double seconds) {
  if (total_ > 0)
    whole_.advance(std::clamp(static_cast<double>(done_.load()) / static_cast<double>(total_), 0.0, 1.0));
  shown_ = std::max(shown_, std::min(whole_.fraction(now), 0.99));
  return fmt::format("{}{:3.0f}% of all  {}  {}{} left", bar_text(shown_), shown_ * 100, amount_text(seconds),
                     whole_.rough(now) ? "about " : "", clock_text(std::max(whole_.left(now), 1.0)));
}

std::string TerminalProgress::bar_text(double fraction) const {
  if (!terminal_) return "";
  const auto filled = static_cast<std::size_t>(fraction * kBarWidth);
  return fmt::format("[{}{}] ", std::string(filled, '='), std::string(kBarWidth - filled, ' '));
}

void TerminalProgress::draw(Clock::time_point now) noexcept {
  try {
    const double seconds = seconds_of(now) - seconds_of(started_);
    const std::string text = whole_.knows() ? whole_text(seconds_of(now), seconds) : stage_text(seconds);
    show(text);
  } catch (...) {
    // Work does not stop because its progress could not be shown.
  }
}

void TerminalProgress::show(const std::string& text) {
  const std::string line =
      terminal_ ? fmt::format("\r\033[K{} {}", stage_, text) : fmt::format("{}: {}\n", stage_, text);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  line_open_ = terminal_;
}

void TerminalProgress::finish_line() noexcept {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

}  // namespace spim::cli
