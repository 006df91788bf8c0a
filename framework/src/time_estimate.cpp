#include "spim/host/time_estimate.hpp"

#include <algorithm>

namespace spim {

namespace {

/// So much of a phase must be done before its own pace alone decides.
constexpr double kTrusted = 0.1;
/// Seconds with which the pace begins at 1: a phase of a moment says little about hours.
constexpr double kInertia = 2;
constexpr double kSlowest = 8, kFastest = 0.125;

}  // namespace

void TimeEstimate::expect(std::vector<Leg> legs, double now) {
  legs_ = std::move(legs);
  current_ = 0;
  entered_ = false;
  pieces_ = 0;
  part_ = 0;
  leg_began_ = piece_began_ = now;
  if (began_ < 0) began_ = now;
}

void TimeEstimate::enter(const std::string& name, double now) {
  const auto found = std::ranges::find(legs_, name, &Leg::name);
  if (found == legs_.end()) return;
  if (entered_) {
    taken_ += now - leg_began_;
    expected_taken_ += leg().seconds;
  }
  current_ = static_cast<std::size_t>(found - legs_.begin());
  entered_ = true;
  pieces_ = 0;
  part_ = 0;
  leg_began_ = piece_began_ = now;
}

void TimeEstimate::restart(double now) {
  ++pieces_;
  part_ = 0;
  piece_began_ = now;
}

/// How much longer things take than expected.
double TimeEstimate::pace(double now) const noexcept {
  double taken = taken_, expected = expected_taken_;
  if (pieces_ == 1 && part_ > kTrusted) {
    taken += now - leg_began_;
    expected += leg().seconds * part_;
  }
  return std::clamp((taken + kInertia) / (expected + kInertia), kFastest, kSlowest);
}

double TimeEstimate::expected_after() const noexcept {
  double seconds = 0;
  for (std::size_t i = current_ + 1; i < legs_.size(); ++i) seconds += legs_[i].seconds;
  return seconds;
}

double TimeEstimate::left(double now) const noexcept {
  const double pace = this->pace(now);
  const double expected = pieces_ > 1 ? 0 : leg().seconds * pace * (1 - part_);
  const double trust = std::min(1.0, part_ / kTrusted);
  const double measured = part_ > 0 ? (now - piece_began_) * (1 - part_) / part_ : 0;
  return trust * measured + (1 - trust) * expected + expected_after() * pace;
}

double TimeEstimate::fraction(double now) const noexcept {
  const double before = now - began_, after = left(now);
  return before + after > 0 ? before / (before + after) : 0;
}

bool TimeEstimate::rough(double now) const noexcept {
  return part_ < kTrusted || expected_after() * pace(now) > 0.5 * left(now);
}

}  // namespace spim
