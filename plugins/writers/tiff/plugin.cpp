#include "spim/plugin.hpp"

#include "tiff_frames.hpp"
#include "tiff_options.hpp"
#include "tiff_volume.hpp"
#include "tiff_writer.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::TiffFrames>("tiff",
                                      "TIFF files: a folder, a glob expression or one file of many pages",
                                      spim::Concurrency::reentrant),
    spim::implement<spim::TiffVolume>("tiff",
                                      "a TIFF or BigTIFF file whose pages are planes; OME-TIFF pyramids",
                                      spim::Concurrency::reentrant),
    spim::implement<spim::TiffWriter>("tiff", "one TIFF or BigTIFF file, a page for each plane; OME-TIFF",
                                      spim::Concurrency::reentrant, spim::tiff::kWriterOptions),
};

}  // namespace

SPIM_EXPORT_PLUGIN("tiff", "0.1.0", "spimstitch", kItems);
