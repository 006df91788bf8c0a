#pragma once
/// What the phases of a run are expected to take, before anything of it is measured.

#include <vector>

#include "spim/host/time_estimate.hpp"
#include "stitching.hpp"

namespace spim::cli {

/// Work of one channel that is still to do.
struct CourseRequest {
  const StitchRequest& stitching;
  std::size_t tiles;
  double camera_bytes = 0;
  double sweep_share = 1;  ///< of the sweep; less when a run goes on
  bool illumination = false, alignment = false, sweep = true, finish = true;
  std::size_t channels_after = 0;  ///< that are as much work, but for the alignment
};

/// Phases by the names of phase_word(), and one for the channels that follow.
std::vector<Leg> course_of(const CourseRequest& request, int workers);

}  // namespace spim::cli
