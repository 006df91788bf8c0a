#include "precomputed_shards.hpp"

#include <algorithm>
#include <bit>

#include "common/deflate.hpp"
#include "common/little_endian.hpp"
#include "minishard_index.hpp"
#include "shard_layout.hpp"

namespace spim::precomputed {

using chunked::ChunkPlace;

namespace {

/// A minishard of 512 chunks has an index of 12 KiB, which viewers read at once.
constexpr int kMinishardBits = 9;
/// Places in a shard's index; sides that are no powers of two are rounded up to them.
constexpr int kMostInnerBits = 20;
constexpr int kIndexLevel = 6;  ///< of gzip

int bits_for(std::int64_t n) noexcept {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n - 1)));
}

std::vector<std::byte> stored_index(const std::vector<StoredChunk>& chunks, std::uint64_t table,
                                    chunked::ShardEncoding encoding) {
  std::vector<std::byte> raw = encode_minishard(chunks, table);
  if (encoding == chunked::ShardEncoding::raw) return raw;
  chunked::Scratch scratch;
  const auto encoded = chunked::gzip_encode(kIndexLevel, raw, scratch);
  return {encoded.begin(), encoded.end()};
}

}  // namespace

chunked::PrecomputedSharding plan_sharding(const ChunkOrder& order, Index3 shard,
                                           chunked::ShardEncoding encoding) {
  const int inner =
      std::min({bits_for(shard.x) + bits_for(shard.y) + bits_for(shard.z), order.bits(), kMostInnerBits});
  chunked::PrecomputedSharding sharding;
  sharding.preshift_bits = std::min(inner, kMinishardBits);
  sharding.minishard_bits = inner - sharding.preshift_bits;
  sharding.shard_bits = order.bits() - inner;
  sharding.index_encoding = sharding.data_encoding = encoding;
  return sharding;
}

PrecomputedShards::PrecomputedShards(std::filesystem::path folder, const chunked::PrecomputedInfo& info) {
  for (const chunked::PrecomputedScale& scale : info.scales)
    levels_.push_back(
        {folder / scale.key, scale.sharding.value(), ChunkOrder(ceil_div(scale.size, scale.chunk))});
}

chunked::ShardSlot PrecomputedShards::slot(const ChunkAddress& chunk) const {
  const Level& at = level(chunk.level);
  const std::uint64_t number = at.order.number(chunk.index);
  const std::uint64_t inside = (std::uint64_t{1} << at.inner_bits()) - 1;
  return {chunk.level, number >> at.inner_bits(), static_cast<std::size_t>(number & inside)};
}

chunked::ShardPlan PrecomputedShards::plan(const chunked::ShardSlot& shard) const {
  const Level& at = level(shard.level);
  const Index3 begin = at.order.chunk(shard.shard << at.inner_bits());
  chunked::ShardPlan plan;
  plan.path = at.folder / shard_name(at.sharding, shard.shard);
  plan.slots = std::size_t{1} << at.inner_bits();
  plan.chunks = count(min(at.order.box(at.inner_bits()), at.order.grid() - begin));
  plan.head_bytes = table_bytes(at.sharding);
  return plan;
}

chunked::ShardIndex PrecomputedShards::index(const chunked::ShardSlot& shard,
                                             std::span<const ChunkPlace> places, std::uint64_t end) const {
  const Level& at = level(shard.level);
  const std::uint64_t table = table_bytes(at.sharding);
  const std::size_t per_minishard = std::size_t{1} << at.sharding.preshift_bits;
  chunked::ShardIndex index;
  index.head.resize(table);
  for (std::size_t first = 0, entry = 0; first < places.size(); first += per_minishard, entry += 16) {
    std::vector<StoredChunk> chunks;
    for (std::size_t slot = first; slot < first + per_minishard; ++slot)
      if (!places[slot].absent()) chunks.push_back({(shard.shard << at.inner_bits()) + slot, places[slot]});
    const std::uint64_t begin = end + index.tail.size() - table;
    if (!chunks.empty()) {
      const auto stored = stored_index(chunks, table, at.sharding.index_encoding);
      index.tail.insert(index.tail.end(), stored.begin(), stored.end());
    }
    chunked::put_little(index.head.data() + entry, begin);
    chunked::put_little(index.head.data() + entry + 8, end + index.tail.size() - table);
  }
  return index;
}

}  // namespace spim::precomputed
