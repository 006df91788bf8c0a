#include "spim/plugin.hpp"

#include "precomputed_reader.hpp"
#include "precomputed_writer.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::precomputed::PrecomputedWriter>(
        "precomputed", "Neuroglancer precomputed volume, one file per chunk or per shard",
        spim::Concurrency::reentrant, spim::precomputed::PrecomputedWriter::kOptions),
    spim::implement<spim::precomputed::PrecomputedReader>(
        "precomputed", "Neuroglancer precomputed volume with raw chunks", spim::Concurrency::reentrant,
        spim::precomputed::PrecomputedReader::kOptions)};

}  // namespace

SPIM_EXPORT_PLUGIN("precomputed", "0.1.0", "spimstitch", kItems);
