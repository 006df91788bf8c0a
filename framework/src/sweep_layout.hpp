#pragma once
/// How a volume is cut into lanes so that a sweep stays within its memory.

#include <cstdint>
#include <vector>

#include "spim/host/sweep.hpp"
#include "wavefront.hpp"

namespace spim::detail {

/// The lanes in their order and what they need.
struct SweepLayout {
  std::vector<Lane> lanes;
  std::int64_t memory_bytes = 0;
  bool reads_ahead = false;  ///< what the next step needs is loaded during this one
  double corrections = 1;    ///< of a frame that is loaded as a whole, on average: about
};

/// The largest lanes that fit settings.memory_bytes. z is cut before y: a camera row holds all y of one z.
/// Where frames are loaded as a whole, the lanes are those for which the fewest have to be loaded again, but
/// settings.unit is cut only where nothing else fits. A source that decodes cells is cut between them only;
/// chunks of one plane then come in slabs that are no deeper than needed, one after the other in z. Several
/// workers read ahead if these lanes leave memory for it. Throws Error when no lanes fit.
SweepLayout layout_sweep(const VolumeSource& source, const VolumeSpec& spec, const Executor& executor,
                         const SweepSettings& settings);

}  // namespace spim::detail
