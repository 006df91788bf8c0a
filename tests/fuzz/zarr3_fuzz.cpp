// link: spim_zarr
// What Zarr v3 adds: zarr.json of an array (the first byte is 0 modulo 4), of a group (1), the index of a
// shard (2), whose second byte chooses the layout, and chunks behind checksums (3), whose second byte chooses
// the chain.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "array_metadata.hpp"
#include "chunk_codec.hpp"
#include "ome_metadata.hpp"
#include "shard_index.hpp"
#include "spim/error.hpp"

namespace {

using namespace spim;

void parse_array(std::string_view text) {
  const auto array = zarr::parse_array_v3(text, "zarr.json");
  const auto bytes = array.chunk_bytes();
  if (bytes <= 0 || bytes > chunked::kLargestChunkBytes || count(array.grid.shape) <= 0) std::abort();
  if (!array.sharding) return;
  // What was promised: the chunks of a shard are as many as its index has places for.
  std::size_t slots = static_cast<std::size_t>(count(array.sharding->chunks));
  for (const std::int64_t n : array.sharding->leading_chunks) slots *= static_cast<std::size_t>(n);
  if (slots != array.sharding->index.slots || slots == 0) std::abort();
}

void parse_group(std::string_view text) {
  for (const auto& level : zarr::parse_ome(text, "zarr.json").levels)
    if (level.path.empty() || level.path[0] == '/') std::abort();
}

void decode_index(std::string_view bytes) {
  constexpr std::uint64_t kFileSize = 1000;
  if (bytes.empty()) return;
  const auto choice = static_cast<unsigned char>(bytes[0]);
  zarr::IndexLayout layout;
  layout.location = choice & 1 ? zarr::IndexLocation::start : zarr::IndexLocation::end;
  layout.order = choice & 2 ? chunked::ByteOrder::big : chunked::ByteOrder::little;
  layout.checksums = choice >> 2 & 3;
  layout.slots = (bytes.size() - 1) / 16;
  const std::uint64_t first = layout.location == zarr::IndexLocation::start ? layout.bytes() : 0;
  for (const auto& place :
       zarr::decode_index(layout, std::as_bytes(std::span(bytes.substr(1, layout.bytes()))), kFileSize))
    if (!place.absent() && (place.offset < first || place.offset > kFileSize || place.size > kFileSize))
      std::abort();
}

void decode_chunk(std::string_view bytes) {
  constexpr std::size_t kDecoded = 512;
  static chunked::Scratch scratch;
  if (bytes.empty()) return;
  const auto choice = static_cast<unsigned char>(bytes[0]);
  const zarr::ChunkCodecs codecs{choice & 1, static_cast<zarr::Compressor>(choice / 4 % 5), choice >> 1 & 1};
  zarr::decode_chunk(codecs, std::as_bytes(std::span(bytes.substr(1))), kDecoded, scratch);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 4) {
      case 0:
        parse_array(rest);
        break;
      case 1:
        parse_group(rest);
        break;
      case 2:
        decode_index(rest);
        break;
      default:
        decode_chunk(rest);
    }
  } catch (const spim::Error&) {  // the one way out for bytes that are not right
  }
  return 0;
}
