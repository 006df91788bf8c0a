#include "spim/plugin.hpp"
#include "phase.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {spim::implement<spim::PhaseAligner>(
    "phase", "phase correlation of large windows, for errors of up to a hundred voxels",
    spim::Concurrency::reentrant, spim::kPhaseOptions)};

}  // namespace

SPIM_EXPORT_PLUGIN("phase", "0.1.0", "spimstitch", kItems);
