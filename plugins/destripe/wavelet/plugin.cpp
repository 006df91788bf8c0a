#include "spim/plugin.hpp"

#include "wavelet.hpp"
#include "wavelet_options.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::WaveletDestriper>(
        "wavelet", "removes stripes from the wavelet subbands that hold them, as pystripe does",
        spim::Concurrency::exclusive, spim::kWaveletOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("wavelet", "0.1.0", "spimstitch", kItems);
