#include "spim/host/time_estimate.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace spim {
namespace {

/// Phases that take `true_seconds` each, of which `expected` was said; calls look(left, true left) on the
/// way.
template <class F>
void go(TimeEstimate& estimate, const std::vector<double>& expected, const std::vector<double>& true_seconds,
        F&& look) {
  std::vector<Leg> legs;
  for (std::size_t i = 0; i < expected.size(); ++i) legs.push_back({std::to_string(i), expected[i], 0});
  double now = 100, all = 0;
  for (const double s : true_seconds) all += s;
  estimate.expect(legs, now);
  for (std::size_t i = 0; i < true_seconds.size(); ++i) {
    estimate.enter(std::to_string(i), now);
    estimate.restart(now);
    for (int step = 1; step <= 50; ++step) {
      now += true_seconds[i] / 50;
      estimate.advance(step / 50.0);
      look(now, 100 + all - now);
    }
  }
}

TEST(TimeEstimate, what_is_expected_rightly_is_told_rightly_from_the_start) {
  TimeEstimate estimate;
  go(estimate, {10, 40, 5}, {10, 40, 5}, [&](double now, double left) {
    EXPECT_NEAR(estimate.left(now), left, 1e-6 + 0.01 * left);
    EXPECT_NEAR(estimate.fraction(now), (now - 100) / 55, 0.01);
  });
}

TEST(TimeEstimate, the_end_of_a_phase_is_not_the_end_of_the_whole) {
  TimeEstimate estimate;
  go(estimate, {10, 40, 5}, {3, 90, 9}, [&](double now, double left) {
    if (left > 10) {
      EXPECT_GT(estimate.left(now), 5);
    }
  });
}

TEST(TimeEstimate, a_machine_of_another_speed_is_noticed_in_the_first_phase) {
  TimeEstimate estimate;
  go(estimate, {10, 40, 5}, {30, 120, 15}, [&](double now, double left) {
    if (now > 120) {
      EXPECT_NEAR(estimate.left(now), left, 0.2 * left + 1);
    }
  });
}

TEST(TimeEstimate, within_a_phase_its_own_pace_decides) {
  TimeEstimate estimate;
  go(estimate, {1, 10}, {1, 200}, [&](double now, double left) {
    if (now > 125) {
      EXPECT_NEAR(estimate.left(now), left, 1e-6 + 0.01 * left);
    }
  });
}

TEST(TimeEstimate, more_work_in_a_phase_does_not_count_the_expected_time_again) {
  TimeEstimate estimate;
  estimate.expect({{"only", 50, 0}}, 0);
  estimate.enter("only", 0);
  estimate.restart(0);
  estimate.advance(1);
  estimate.restart(50);
  EXPECT_LT(estimate.left(50), 1);
  estimate.advance(0.5);
  EXPECT_NEAR(estimate.left(52), 2, 1e-9);
}

TEST(TimeEstimate, phases_that_are_passed_over_and_names_that_are_not_known_do_no_harm) {
  TimeEstimate estimate;
  estimate.expect({{"a", 10, 0}, {"b", 10, 0}, {"c", 10, 0}}, 0);
  estimate.enter("x", 0);
  EXPECT_NEAR(estimate.left(0), 30, 1e-9);
  estimate.enter("c", 0);
  estimate.restart(0);
  EXPECT_NEAR(estimate.left(0), 10, 1e-9);
}

}  // namespace
}  // namespace spim
