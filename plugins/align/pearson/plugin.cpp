#include "spim/plugin.hpp"
#include "pearson.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {spim::implement<spim::PearsonAligner>(
    "pearson", "Pearson correlation of small windows around bright spots, for errors of a few voxels",
    spim::Concurrency::reentrant, spim::kPearsonOptions)};

}  // namespace

SPIM_EXPORT_PLUGIN("pearson", "0.1.0", "spimstitch", kItems);
