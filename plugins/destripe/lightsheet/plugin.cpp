#include "spim/plugin.hpp"

#include "lightsheet.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::lightsheet::LightsheetDestriper>(
        "lightsheet", "subtracts what is as bright along the sheet as its darker quarter",
        spim::Concurrency::exclusive, spim::lightsheet::LightsheetDestriper::kOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("lightsheet", "0.1.0", "spimstitch", kItems);
