#pragma once
/// How a volume's chunks lie in the shards of Zarr v3.

#include <filesystem>

#include "common/shard_files.hpp"
#include "shard_index.hpp"
#include "spim/volume_writer.hpp"

namespace spim::zarr {

/// Shards `<level>/c/0/<channel>/<iz>/<iy>/<ix>` of spec.chunk chunks, `chunks` of them along x, y, z.
class ZarrShards final : public chunked::ShardFormat {
 public:
  ZarrShards(std::filesystem::path folder, const VolumeSpec& spec, Index3 chunks, IndexLocation location);

  chunked::ShardSlot slot(const ChunkAddress& chunk) const override;
  chunked::ShardPlan plan(const chunked::ShardSlot& shard) const override;
  chunked::ShardIndex index(const chunked::ShardSlot& shard, std::span<const chunked::ChunkPlace> places,
                            std::uint64_t end) const override;

 private:
  /// Chunks and shards of a level along x, y, z.
  Index3 chunk_count(std::int32_t level) const;
  Index3 shard_count(std::int32_t level) const;

  std::filesystem::path folder_;
  Index3 shape_, chunk_, chunks_;
  IndexLocation location_;
};

}  // namespace spim::zarr
