// link: spim_precomputed
// The info of a precomputed volume (the first byte is 0 modulo 3), an entry of a shard's table (1), and the
// index of a minishard, raw or compressed (2).
#include <cstdint>
#include <cstdlib>
#include <string>

#include "chunk_order.hpp"
#include "common/chunk_grid.hpp"
#include "common/deflate.hpp"
#include "common/precomputed_info.hpp"
#include "minishard_index.hpp"
#include "shard_layout.hpp"
#include "spim/error.hpp"

namespace {

using namespace spim;

constexpr precomputed::ShardBounds kBounds{16, 1000};

void parse_info(std::string_view text) {
  const auto info = chunked::parse_info(text, chunked::InfoPart::everything, "info");
  if (info.scales.empty()) std::abort();
  for (const auto& scale : info.scales) {
    const chunked::ChunkGrid grid{scale.size, scale.chunk};
    if (count(grid.shape) <= 0 || count(grid.count()) <= 0 || scale.key.empty()) std::abort();
    if (!scale.sharding) continue;
    const precomputed::ChunkOrder order(grid.count());
    const Index3 last = grid.count() - Index3{1, 1, 1};
    const std::uint64_t number = order.number(last);
    if (order.chunk(number) != last) std::abort();
    const auto part = precomputed::locate(*scale.sharding, number);
    if (scale.sharding->minishard_bits == 0 && part.minishard != 0) std::abort();
    precomputed::shard_name(*scale.sharding, part.shard);
  }
}

void decode_table(std::span<const std::byte> bytes) {
  if (bytes.size() < 16) return;
  const auto place = precomputed::decode_table_entry(bytes.first<16>(), kBounds);
  if (place.end > kBounds.file_bytes || place.begin > place.end) std::abort();
}

void decode_minishard(std::span<const std::byte> bytes) {
  std::vector<std::byte> inflated;
  if (bytes.size() > 2 && bytes[0] == std::byte{0x1f}) {
    inflated = chunked::inflate_at_most(bytes, 100'000);
    bytes = inflated;
  }
  const auto chunks = precomputed::decode_minishard(bytes, kBounds);
  for (const auto& chunk : chunks) {
    if (chunk.place.offset < kBounds.table_bytes || chunk.place.offset > kBounds.file_bytes ||
        chunk.place.size > kBounds.file_bytes - chunk.place.offset)
      std::abort();
    if (precomputed::find_chunk(chunks, chunk.number).absent()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto bytes = std::as_bytes(std::span(rest));
  try {
    switch (data[0] % 3) {
      case 0:
        parse_info(rest);
        break;
      case 1:
        decode_table(bytes);
        break;
      default:
        decode_minishard(bytes);
    }
  } catch (const spim::Error&) {  // the one way out for bytes that are not right
  }
  return 0;
}
