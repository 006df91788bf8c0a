#include "spim/host/stage_meter.hpp"

#include <ctime>
#include <utility>

namespace spim {

namespace {

/// The timer that this thread is in; a nested one takes its time out of it.
thread_local StageTimer* innermost = nullptr;

std::int64_t read_clock(clockid_t clock) noexcept {
  timespec t{};
  ::clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

double seconds(std::int64_t ns) noexcept {
  return static_cast<double>(ns) / 1e9;
}

}  // namespace

std::string_view stage_word(Stage stage) noexcept {
  switch (stage) {
    case Stage::read:
      return "read";
    case Stage::correct:
      return "correct";
    case Stage::place:
      return "place";
    case Stage::halve:
      return "halve";
    case Stage::encode:
      return "encode";
    case Stage::commit:
      return "commit";
  }
  return "";
}

StageTotals StageMeter::of(Stage stage) const noexcept {
  const Cell& cell = cells_[static_cast<std::size_t>(stage)];
  return {seconds(cell.cpu_ns.load(std::memory_order_relaxed)),
          seconds(cell.wall_ns.load(std::memory_order_relaxed)), cell.bytes.load(std::memory_order_relaxed),
          cell.calls.load(std::memory_order_relaxed)};
}

StageTimer::Moment StageTimer::now() noexcept {
  return {read_clock(CLOCK_THREAD_CPUTIME_ID), read_clock(CLOCK_MONOTONIC)};
}

StageTimer::StageTimer(StageMeter* meter, Stage stage, std::int64_t bytes) noexcept
    : meter_(meter), stage_(stage), bytes_(bytes) {
  if (meter_ == nullptr) return;
  outer_ = std::exchange(innermost, this);
  began_ = now();
}

StageTimer::~StageTimer() {
  if (meter_ == nullptr) return;
  const Moment end = now();
  const Moment spent{end.cpu_ns - began_.cpu_ns, end.wall_ns - began_.wall_ns};
  StageMeter::Cell& cell = meter_->cell(stage_);
  cell.cpu_ns.fetch_add(spent.cpu_ns - inner_.cpu_ns, std::memory_order_relaxed);
  cell.wall_ns.fetch_add(spent.wall_ns - inner_.wall_ns, std::memory_order_relaxed);
  cell.bytes.fetch_add(bytes_, std::memory_order_relaxed);
  cell.calls.fetch_add(1, std::memory_order_relaxed);
  innermost = outer_;
  if (outer_ == nullptr) return;
  outer_->inner_.cpu_ns += spent.cpu_ns;
  outer_->inner_.wall_ns += spent.wall_ns;
}

}  // namespace spim
