#include "minishard_index.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/little_endian.hpp"
#include "spim/error.hpp"

namespace spim::precomputed {

using chunked::ChunkPlace;

namespace {

constexpr std::size_t kRows = 3;
constexpr std::size_t kWord = sizeof(std::uint64_t);

bool by_number(const StoredChunk& a, const StoredChunk& b) noexcept {
  return a.number < b.number;
}

}  // namespace

std::vector<std::byte> encode_minishard(std::span<const StoredChunk> chunks, std::uint64_t table_bytes) {
  std::vector<std::byte> bytes(chunks.size() * kRows * kWord);
  std::uint64_t number = 0, end = table_bytes;
  const std::size_t row = chunks.size() * kWord;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const StoredChunk& chunk = chunks[i];
    std::byte* at = bytes.data() + i * kWord;
    chunked::put_little(at, chunk.number - number);
    chunked::put_little(at + row, chunk.place.offset - end);
    chunked::put_little(at + 2 * row, chunk.place.size);
    number = chunk.number;
    end = chunk.place.offset + chunk.place.size;
  }
  return bytes;
}

std::vector<StoredChunk> decode_minishard(std::span<const std::byte> bytes, const ShardBounds& bounds) {
  if (bytes.size() % (kRows * kWord) != 0)
    throw Error(fmt::format("its index of {} bytes is not three rows of whole numbers", bytes.size()));
  std::vector<StoredChunk> chunks(bytes.size() / (kRows * kWord));
  const std::size_t row = chunks.size() * kWord;
  const std::uint64_t room = bounds.file_bytes - bounds.table_bytes;
  std::uint64_t number = 0, end = 0;  // differences may be negative: sums wrap around
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const std::byte* at = bytes.data() + i * kWord;
    number += chunked::get_little<std::uint64_t>(at);
    const std::uint64_t begin = end + chunked::get_little<std::uint64_t>(at + row);
    const auto size = chunked::get_little<std::uint64_t>(at + 2 * row);
    if (begin > room || size > room - begin)
      throw Error(fmt::format("chunk {} of its index lies at byte {} and has {} bytes; there are {}", number,
                              begin, size, room));
    end = begin + size;
    chunks[i] = {number, {bounds.table_bytes + begin, size}};
  }
  if (!std::ranges::is_sorted(chunks, by_number)) std::ranges::stable_sort(chunks, by_number);
  return chunks;
}

ChunkPlace find_chunk(std::span<const StoredChunk> chunks, std::uint64_t number) noexcept {
  const auto found = std::ranges::lower_bound(chunks, number, {}, &StoredChunk::number);
  return found != chunks.end() && found->number == number ? found->place : ChunkPlace{};
}

MinishardPlace decode_table_entry(std::span<const std::byte, 16> entry, const ShardBounds& bounds) {
  const auto begin = chunked::get_little<std::uint64_t>(entry.data());
  const auto end = chunked::get_little<std::uint64_t>(entry.data() + kWord);
  if (begin == end) return {};
  const std::uint64_t room = bounds.file_bytes - bounds.table_bytes;
  if (begin > end || end > room)
    throw Error(fmt::format("its table has an index from byte {} to {}; there are {}", begin, end, room));
  return {bounds.table_bytes + begin, bounds.table_bytes + end};
}

}  // namespace spim::precomputed
