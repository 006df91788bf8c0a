#include "spim/plugin.hpp"

#include "dcimg.hpp"
#include "dcimg_options.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::DcimgReader>("dcimg", "Hamamatsu DCIMG camera files, versions 7, 1.0, 1.5 and 2.0",
                                       spim::Concurrency::reentrant, spim::kDcimgOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("dcimg", "0.1.0", "spimstitch", kItems);
