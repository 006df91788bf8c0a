#pragma once
/// How a volume is cut into lanes so that a sweep stays within its memory.

#include <cstdint>
#include <vector>

#include "spim/host/sweep.hpp"
#include "wavefront.hpp"

namespace spim::detail {

/// The lanes in their order, what they need, and how fine their steps are.
struct SweepLayout {
  std::vector<Lane> lanes;
  double step = 0;  ///< voxels of x
  std::int64_t memory_bytes = 0;
};

/// The largest lanes that fit settings.memory_bytes. z is cut before y: a camera row holds all y of one z.
/// Throws Error when even single chunks do not fit.
SweepLayout layout_sweep(const VolumeSource& source, const VolumeSpec& spec, const Executor& executor,
                         const SweepSettings& settings);

}  // namespace spim::detail
