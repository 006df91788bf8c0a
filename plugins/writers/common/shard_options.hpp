#pragma once
/// The options of every writer that puts many chunks into one file.

#include <cstdint>

#include "spim/options.hpp"
#include "spim/volume_writer.hpp"

namespace spim::chunked {

inline constexpr OptionSpec kShardOption =
    text_option("shard", "", "voxels of a file that holds many chunks, X,Y,Z; empty for a file per chunk");
inline constexpr OptionSpec kShardMemoryOption =
    integer_option("shard-memory", "256", 0, 1 << 20,
                   "MiB that incomplete shards may keep in memory, compressed; what is above goes through a "
                   "file beside the shard. Of the parts that are open at a time in a run each has its share");

/// A shard that holds more chunks than this would have an index of many megabytes.
inline constexpr std::int64_t kMostChunksOfShard = std::int64_t{1} << 20;

/// "shard" as x, y, z; {0,0,0} for none. Throws UsageError for anything but three numbers from 1 on.
Index3 shard_shape(const Options& options);

/// "shard-memory" in bytes.
std::int64_t shard_memory(const Options& options);

/// What incomplete shards of `spec` keep at most when they may keep `allowed` bytes.
std::int64_t shard_memory_of(const VolumeSpec& spec, std::int64_t allowed);

}  // namespace spim::chunked
