#include "spim/plugin.hpp"

#include "zarr_reader.hpp"
#include "zarr_writer.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::zarr::ZarrWriter>(
        "zarr", "OME-Zarr 0.4 (Zarr v2) or 0.5 (Zarr v3), one file per chunk or per shard",
        spim::Concurrency::reentrant, spim::zarr::ZarrWriter::kOptions),
    spim::implement<spim::zarr::ZarrReader>("zarr", "Zarr v2 or v3 array or OME-Zarr image",
                                            spim::Concurrency::reentrant, spim::zarr::ZarrReader::kOptions)};

}  // namespace

SPIM_EXPORT_PLUGIN("zarr", "0.1.0", "spimstitch", kItems);
