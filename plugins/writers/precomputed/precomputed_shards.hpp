#pragma once
/// How a volume's chunks lie in the shards of Neuroglancer's precomputed format.

#include <filesystem>
#include <vector>

#include "chunk_order.hpp"
#include "common/precomputed_info.hpp"
#include "common/shard_files.hpp"

namespace spim::precomputed {

/// A sharding for a grid whose files hold boxes of about `shard` chunks (x, y, z), in the order of their
/// numbers, so that each file is written from one box of the volume alone.
chunked::PrecomputedSharding plan_sharding(const ChunkOrder& order, Index3 shard,
                                           chunked::ShardEncoding encoding);

/// Shards `<key>/<number>.shard` of scales that plan_sharding() planned.
class PrecomputedShards final : public chunked::ShardFormat {
 public:
  PrecomputedShards(std::filesystem::path folder, const chunked::PrecomputedInfo& info);

  chunked::ShardSlot slot(const ChunkAddress& chunk) const override;
  chunked::ShardPlan plan(const chunked::ShardSlot& shard) const override;
  chunked::ShardIndex index(const chunked::ShardSlot& shard, std::span<const chunked::ChunkPlace> places,
                            std::uint64_t end) const override;

 private:
  struct Level {
    std::filesystem::path folder;
    chunked::PrecomputedSharding sharding;
    ChunkOrder order;
    /// Bits of a chunk's number inside its shard.
    int inner_bits() const noexcept { return sharding.preshift_bits + sharding.minishard_bits; }
  };
  const Level& level(std::int32_t l) const { return levels_.at(static_cast<std::size_t>(l)); }

  std::vector<Level> levels_;
};

}  // namespace spim::precomputed
