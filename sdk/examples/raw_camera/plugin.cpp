#include "raw_camera.hpp"

namespace {

constexpr spim::OptionSpec kOptions[] = {
    spim::choice_option("byte-order", "little", "little|big",
                        "order of the bytes of a 16-bit sample in the file"),
    spim::integer_option("subtract", "0", 0, 65535, "grey levels to take off every sample, ending at 0"),
};

constexpr spim::ItemSpec kItems[] = {
    spim::implement<raw_camera::Reader>("raw-camera", "raw camera dump (.raw): a header, then stamped frames",
                                        spim::Concurrency::reentrant, kOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("raw-camera", "1.0.0", "spimstitch examples", kItems);
