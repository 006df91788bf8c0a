#include "simulated.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {spim::implement<spim::SimulatedReader>(
    "simulated", "frames of synthetic tissue, computed as they are read", spim::Concurrency::reentrant)};

}  // namespace

SPIM_EXPORT_PLUGIN("simulated", "0.1.0", "spimstitch", kItems);
