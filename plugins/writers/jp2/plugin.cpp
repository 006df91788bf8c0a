#include "spim/plugin.hpp"

#include "jp2_reader.hpp"
#include "jp2_stack.hpp"
#include "jp2_writer.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::jp2::Jp2Stack>("jp2",
                                         "JPEG 2000 files of one frame each: a folder, a pattern or one file",
                                         spim::Concurrency::reentrant),
    spim::implement<spim::jp2::Jp2Writer>("jp2", "JPEG 2000 file of one plane, lossless or in quality layers",
                                          spim::Concurrency::exclusive, spim::jp2::Jp2Writer::kOptions),
    spim::implement<spim::jp2::Jp2Reader>("jp2", "JPEG 2000 file as a volume of one plane",
                                          spim::Concurrency::reentrant)};

}  // namespace

SPIM_EXPORT_PLUGIN("jp2", "0.1.0", "spimstitch", kItems);
