#include "shard_file.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/deflate.hpp"
#include "common/subject.hpp"
#include "shard_layout.hpp"
#include "spim/error.hpp"

namespace spim::precomputed {

namespace {

/// Ten million chunks in one minishard: what is above is damage, and is not loaded.
constexpr std::uint64_t kLargestIndex = std::uint64_t{1} << 28;
/// Indices that one call keeps; a box that touches more reads some of them again.
constexpr std::size_t kMostKept = 64;

}  // namespace

ShardFile::ShardFile(chunked::File file, const chunked::PrecomputedSharding& sharding)
    : file_(std::move(file)), sharding_(sharding), bounds_{table_bytes(sharding), file_.size()} {
  if (bounds_.file_bytes < bounds_.table_bytes)
    throw Error(fmt::format("shard {} has {} bytes; its table of minishards alone needs {}",
                            file_.path().string(), bounds_.file_bytes, bounds_.table_bytes));
}

std::optional<ShardFile> ShardFile::open_if_exists(const std::filesystem::path& path,
                                                   const chunked::PrecomputedSharding& sharding) {
  auto file = chunked::File::open_if_exists(path);
  if (!file) return std::nullopt;
  return ShardFile(std::move(*file), sharding);
}

std::vector<StoredChunk> ShardFile::read_minishard(std::uint64_t minishard) const {
  std::byte entry[16];
  file_.read(minishard * sizeof entry, entry);
  const MinishardPlace place = decode_table_entry(entry, bounds_);
  if (place.begin == place.end) return {};
  if (place.end - place.begin > kLargestIndex)
    throw Error(fmt::format("the index of minishard {} has {} bytes; it can have at most {}", minishard,
                            place.end - place.begin, kLargestIndex));
  std::vector<std::byte> bytes(place.end - place.begin);
  file_.read(place.begin, bytes);
  if (sharding_.index_encoding == chunked::ShardEncoding::gzip)
    bytes = chunked::inflate_at_most(bytes, kLargestIndex);
  return decode_minishard(bytes, bounds_);
}

const std::vector<StoredChunk>& ShardFile::minishard(std::uint64_t minishard) {
  const auto found = minishards_.find(minishard);
  if (found != minishards_.end()) return found->second;
  if (minishards_.size() >= kMostKept) minishards_.clear();
  auto chunks = chunked::with_subject([&] { return "shard " + file_.path().string(); },
                                      [&] { return read_minishard(minishard); });
  return minishards_.emplace(minishard, std::move(chunks)).first->second;
}

std::span<const std::byte> ShardFile::load(std::uint64_t minishard_number, std::uint64_t number,
                                           std::uint64_t most, chunked::Scratch& scratch) {
  const chunked::ChunkPlace place = find_chunk(minishard(minishard_number), number);
  if (place.absent()) return {};
  if (place.size == 0 || place.size > most)
    throw Error(fmt::format("chunk {} of shard {} has {} bytes; it should have 1 to {}", number,
                            file_.path().string(), place.size, most));
  const std::span bytes(scratch.bytes(place.size), place.size);
  file_.read(place.offset, bytes);
  return bytes;
}

}  // namespace spim::precomputed
