#include "shard_index.hpp"

#include <fmt/format.h>

#include "common/crc32c.hpp"
#include "spim/crc32c.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

using chunked::ChunkPlace;

namespace {

constexpr std::size_t kEntryBytes = 16;

std::uint64_t number(const std::byte* at, chunked::ByteOrder order) {
  const auto value = chunked::get_little<std::uint64_t>(at);
  return order == chunked::ByteOrder::little ? value : __builtin_bswap64(value);
}

}  // namespace

std::vector<std::byte> encode_index(std::span<const ChunkPlace> places) {
  std::vector<std::byte> bytes(places.size() * kEntryBytes + sizeof(std::uint32_t));
  std::byte* at = bytes.data();
  for (const ChunkPlace& place : places) {
    chunked::put_little(at, place.offset);
    chunked::put_little(at + 8, place.size);
    at += kEntryBytes;
  }
  chunked::put_little(at, crc32c(std::span(bytes).first(places.size() * kEntryBytes)));
  return bytes;
}

std::vector<ChunkPlace> decode_index(const IndexLayout& layout, std::span<const std::byte> bytes,
                                     std::uint64_t file_size) {
  if (bytes.size() != layout.bytes() || file_size < bytes.size())
    throw Error(fmt::format("its index of {} bytes does not fit its {} bytes", layout.bytes(), file_size));
  bytes = chunked::strip_checksums(bytes, layout.checksums, "its index");
  const bool behind = layout.location == IndexLocation::start;
  const std::uint64_t first = behind ? layout.bytes() : 0;
  const std::uint64_t last = behind ? file_size : file_size - layout.bytes();
  std::vector<ChunkPlace> places(layout.slots);
  for (std::size_t slot = 0; slot < places.size(); ++slot) {
    const std::byte* at = bytes.data() + slot * kEntryBytes;
    ChunkPlace& place = places[slot];
    place = {number(at, layout.order), number(at + 8, layout.order)};
    if (place.absent() && place.size == ChunkPlace::kAbsent) continue;
    if (place.offset < first || place.offset > last || place.size > last - place.offset)
      throw Error(
          fmt::format("chunk {} of its index lies at byte {} and has {} bytes; chunks lie at bytes {} to {}",
                      slot, place.offset, place.size, first, last));
  }
  return places;
}

}  // namespace spim::zarr
