#include "zarr_shards.hpp"

#include <fmt/format.h>

#include <utility>

namespace spim::zarr {

ZarrShards::ZarrShards(std::filesystem::path folder, const VolumeSpec& spec, Index3 chunks,
                       IndexLocation location)
    : folder_(std::move(folder)),
      shape_(spec.shape),
      chunk_(spec.chunk),
      chunks_(chunks),
      location_(location) {}

Index3 ZarrShards::chunk_count(std::int32_t level) const {
  return ceil_div(level_shape(shape_, level), chunk_);
}

Index3 ZarrShards::shard_count(std::int32_t level) const {
  return ceil_div(chunk_count(level), chunks_);
}

chunked::ShardSlot ZarrShards::slot(const ChunkAddress& chunk) const {
  const Index3 i = chunk.index, shards = shard_count(chunk.level);
  const Index3 shard{i.x / chunks_.x, i.y / chunks_.y, i.z / chunks_.z};
  const std::int64_t inside = ((i.z % chunks_.z) * chunks_.y + i.y % chunks_.y) * chunks_.x + i.x % chunks_.x;
  return {chunk.level,
          static_cast<std::uint64_t>(((chunk.channel * shards.z + shard.z) * shards.y + shard.y) * shards.x +
                                     shard.x),
          static_cast<std::size_t>(inside)};
}

chunked::ShardPlan ZarrShards::plan(const chunked::ShardSlot& shard) const {
  const Index3 shards = shard_count(shard.level);
  const auto number = static_cast<std::int64_t>(shard.shard);
  const std::int64_t plane = number / shards.x / shards.y;
  const Index3 at{number % shards.x, number / shards.x % shards.y, plane % shards.z};
  const Index3 begin{at.x * chunks_.x, at.y * chunks_.y, at.z * chunks_.z};
  chunked::ShardPlan plan;
  plan.path = folder_ / fmt::format("{}/c/0/{}/{}/{}/{}", shard.level, plane / shards.z, at.z, at.y, at.x);
  plan.slots = static_cast<std::size_t>(count(chunks_));
  plan.chunks = count(min(chunks_, chunk_count(shard.level) - begin));
  if (location_ == IndexLocation::start) plan.head_bytes = IndexLayout{plan.slots}.bytes();
  return plan;
}

chunked::ShardIndex ZarrShards::index(const chunked::ShardSlot&, std::span<const chunked::ChunkPlace> places,
                                      std::uint64_t) const {
  chunked::ShardIndex index;
  (location_ == IndexLocation::start ? index.head : index.tail) = encode_index(places);
  return index;
}

}  // namespace spim::zarr
