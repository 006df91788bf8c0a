#include "spim/plugin.hpp"

#include "null_writer.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {spim::implement<spim::null::NullWriter>(
    "null", "stores nothing; counts and checksums the voxels", spim::Concurrency::reentrant)};

}  // namespace

SPIM_EXPORT_PLUGIN("null", "0.1.0", "spimstitch", kItems);
