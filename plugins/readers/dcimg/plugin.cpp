#include "spim/plugin.hpp"

#include "dcimg.hpp"

namespace {

constexpr spim::OptionSpec kOptions[] = {
    spim::choice_option(
        "padding", "end", "end|start",
        "which side of a stored row holds the bytes that are not pixels, where there are any"),
    spim::boolean_option("restore-pixels", "true",
                         "put the true values back into the 8 bytes per frame that the camera overwrites"),
    spim::integer_option("session", "0", 0, 4294967295.0, "which session of a file with several, from 0"),
};

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::DcimgReader>("dcimg", "Hamamatsu DCIMG camera files, versions 7, 1.0, 1.5 and 2.0",
                                       spim::Concurrency::reentrant, kOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("dcimg", "0.1.0", "spimstitch", kItems);
