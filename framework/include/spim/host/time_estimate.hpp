#pragma once
/// How long a command of several phases goes on: what is expected of each of them, corrected by how long the
/// work so far has taken.

#include <string>
#include <vector>

namespace spim {

/// A phase of a command.
struct Leg {
  std::string name;
  double seconds = 0;       ///< that it is expected to take; only the ratios matter after a while
  double camera_bytes = 0;  ///< that pass through it; 0: its progress is not told in camera data
};

/// Times are seconds of any steady clock.
class TimeEstimate {
 public:
  /// The phases to come, in their order; forgets earlier ones, but not the time they took.
  void expect(std::vector<Leg> legs, double now);
  bool knows() const noexcept { return !legs_.empty(); }

  /// The phase `name` begins and ends the one before. Phases that are passed over take no time; an unknown
  /// name changes nothing.
  void enter(const std::string& name, double now);
  /// Work inside the phase begins anew at nothing done.
  void restart(double now);
  /// `part` of the work inside the phase is done, 0 to 1.
  void advance(double part) noexcept { part_ = part; }

  const Leg& leg() const noexcept { return legs_[current_]; }
  /// Seconds until the end of the last phase.
  double left(double now) const noexcept;
  /// Of the time from the beginning to the expected end.
  double fraction(double now) const noexcept;
  /// Whether what is expected, rather than what was measured, decides most of left().
  bool rough(double now) const noexcept;

 private:
  double pace(double now) const noexcept;
  double expected_after() const noexcept;

  std::vector<Leg> legs_;
  std::size_t current_ = 0;
  bool entered_ = false;
  int pieces_ = 0;             ///< of work inside the phase, begun
  double part_ = 0;            ///< of the last of them
  double began_ = -1;          ///< the whole
  double leg_began_ = 0;       ///< the phase
  double piece_began_ = 0;     ///< the work inside it
  double taken_ = 0;           ///< by phases that are over
  double expected_taken_ = 0;  ///< what was expected of them
};

}  // namespace spim
