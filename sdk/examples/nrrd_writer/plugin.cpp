#include "nrrd_writer.hpp"

namespace {

constexpr spim::OptionSpec kOptions[] = {
    spim::choice_option("units", "um", "um|mm", "unit of lengths in the headers"),
};

constexpr spim::ItemSpec kItems[] = {
    spim::implement<nrrd_writer::Writer>("nrrd", "NRRD: a folder with a raw file and a header per level",
                                         spim::Concurrency::reentrant, kOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("nrrd", "1.0.0", "spimstitch examples", kItems);
