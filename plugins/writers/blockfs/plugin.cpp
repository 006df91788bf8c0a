#include "spim/plugin.hpp"

#include "blockfs_reader.hpp"
#include "blockfs_writer.hpp"

namespace {

constexpr spim::ItemSpec kItems[] = {
    spim::implement<spim::blockfs::BlockfsWriter>(
        "blockfs", "blockfs volume with a Neuroglancer info file, few large files",
        spim::Concurrency::reentrant, spim::blockfs::BlockfsWriter::kOptions),
    spim::implement<spim::blockfs::BlockfsReader>("blockfs", "blockfs volume, level or directory file",
                                                  spim::Concurrency::reentrant)};

}  // namespace

SPIM_EXPORT_PLUGIN("blockfs", "0.1.0", "spimstitch", kItems);
