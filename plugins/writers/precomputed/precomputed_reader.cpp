#include "precomputed_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "chunk_name.hpp"
#include "common/chunk_file.hpp"
#include "common/deflate.hpp"
#include "common/file.hpp"
#include "common/json_fields.hpp"
#include "common/subject.hpp"
#include "shard_file.hpp"
#include "shard_layout.hpp"
#include "spim/error.hpp"

namespace spim::precomputed {

namespace fs = std::filesystem;

namespace {

constexpr const char* kInfo = "info";
constexpr const char* kBlockfs = "precomputed.blockfs";
/// Shards that one call keeps open.
constexpr std::size_t kMostOpen = 64;

/// No encoding is that much larger than what it encodes: a chunk beyond is damage, and is not loaded.
std::uint64_t largest_encoded(std::size_t decoded) {
  constexpr std::uint64_t kSlack = 65536;
  return decoded + decoded / 16 + kSlack;
}

/// Raw bytes, or gzip, which files may be without saying so.
std::span<const std::byte> decode(std::span<const std::byte> stored, std::size_t size,
                                  chunked::Scratch& scratch) {
  constexpr std::byte kMagic[] = {std::byte{0x1f}, std::byte{0x8b}};
  const bool compressed = stored.size() >= 2 && std::equal(kMagic, kMagic + 2, stored.begin());
  if (!compressed && stored.size() == size) return stored;
  if (!compressed) throw Error(fmt::format("it has {} bytes where {} are expected", stored.size(), size));
  try {
    return {chunked::inflate_exactly(stored, size, scratch), size};
  } catch (const Error&) {
    if (stored.size() != size) throw;
    return stored;  // voxels that begin like gzip
  }
}

std::span<const std::byte> decode_shard_chunk(const chunked::PrecomputedSharding& sharding,
                                              std::span<const std::byte> stored, std::size_t size,
                                              chunked::Scratch& scratch) {
  if (sharding.data_encoding == chunked::ShardEncoding::gzip)
    return {chunked::inflate_exactly(stored, size, scratch), size};
  if (stored.size() != size)
    throw Error(fmt::format("it has {} bytes where {} are expected", stored.size(), size));
  return stored;
}

/// Centre of the first voxel of `scale`: a voxel_offset places corners of voxels.
Vec3 origin_of(const chunked::PrecomputedInfo& info, const chunked::PrecomputedScale& scale) {
  const auto centre = [](const chunked::PrecomputedScale& s) {
    return Vec3{(static_cast<double>(s.voxel_offset.x) + 0.5) * s.voxel_um.x,
                (static_cast<double>(s.voxel_offset.y) + 0.5) * s.voxel_um.y,
                (static_cast<double>(s.voxel_offset.z) + 0.5) * s.voxel_um.z};
  };
  if (!info.origin_um) return centre(scale);
  return *info.origin_um + (centre(scale) - centre(info.scales.front()));
}

}  // namespace

PrecomputedReader::PrecomputedReader(Host& host, const Options& options, std::string_view path)
    : host_(host), channel_(options.integer("channel")) {
  const fs::path root(path);
  const auto file = chunked::File::open_if_exists(root / kInfo);
  if (!file)
    throw Error(fmt::format("{} is not a precomputed volume: it has no {} file", root.string(), kInfo));
  const std::string subject = file->path().string();
  info_ = chunked::parse_info(chunked::read_text(*file, chunked::kLargestJson), chunked::InfoPart::everything,
                              subject);
  if (channel_ >= info_.channels)
    throw UsageError(fmt::format("{} has {} channel{}; {} was asked for, counted from 0", root.string(),
                                 info_.channels, info_.channels == 1 ? "" : "s", channel_));
  for (const chunked::PrecomputedScale& scale : info_.scales) add_level(root, scale);
}

void PrecomputedReader::add_level(const fs::path& root, const chunked::PrecomputedScale& scale) {
  Level level{root / scale.key, scale, {scale.size, scale.chunk}, std::nullopt, {}};
  if (chunked::is_file(level.folder / kBlockfs))
    throw Error(fmt::format("{} is a blockfs volume; read it with the reader blockfs", root.string()));
  if (scale.sharding) level.order.emplace(level.grid.count());
  level.info = {scale.size, scale.chunk, scale.voxel_um, origin_of(info_, scale)};
  levels_.push_back(std::move(level));
}

int PrecomputedReader::probe(const char* path, const unsigned char*, std::uint64_t) noexcept {
  constexpr int kSure = 90;
  constexpr std::uint64_t kLargestInfo = std::uint64_t{1} << 20;
  try {
    const auto file = chunked::File::open_if_exists(fs::path(path) / kInfo);
    if (!file || file->size() > kLargestInfo) return 0;
    const std::string text = chunked::read_text(*file, kLargestInfo);
    for (const char* word : {"\"scales\"", "\"resolution\"", "\"chunk_sizes\""})
      if (text.find(word) == std::string::npos) return 0;
    std::error_code ignored;
    return fs::is_regular_file(fs::path(path) / chunked::level_key(0) / kBlockfs, ignored) ? 0 : kSure;
  } catch (const std::exception&) {  // unreadable or out of memory: let somebody else try
    return 0;
  }
}

VolumeInfo PrecomputedReader::info() const {
  return {info_.type, static_cast<std::int32_t>(levels_.size()), static_cast<std::int32_t>(info_.channels)};
}

LevelInfo PrecomputedReader::level(std::int32_t level) const {
  return levels_.at(static_cast<std::size_t>(level)).info;
}

std::size_t PrecomputedReader::chunk_bytes(const Level& level, Index3 chunk) const {
  return static_cast<std::size_t>(count(level.grid.box(chunk).size()) * bytes_of(info_.type) *
                                  info_.channels);
}

void PrecomputedReader::copy_chunk(const Level& level, Index3 chunk, std::span<const std::byte> samples,
                                   const Box& box, VolumeView<std::uint16_t> out) const {
  const Box extent = level.grid.box(chunk);
  if (samples.empty()) return chunked::fill_samples(0, extent, box, out);
  const auto format =
      info_.type == PixelType::u8 ? chunked::SampleFormat::u8 : chunked::SampleFormat::u16_little;
  const std::byte* first = samples.data() + count(extent.size()) * bytes_of(info_.type) * channel_;
  chunked::copy_samples({first, extent, format}, box, out);
}

std::span<const std::byte> PrecomputedReader::load_file(const Level& level, Index3 chunk) const {
  static thread_local chunked::Scratch stored, decoded;
  const fs::path path = level.folder / chunk_name(level.grid.box(chunk), level.scale.voxel_offset);
  auto file = chunked::File::open_if_exists(path);
  if (!file) file = chunked::File::open_if_exists(path.string() + kGzipEnding);
  if (!file) return {};
  const std::size_t bytes = chunk_bytes(level, chunk);
  const auto content = chunked::read_chunk_file(*file, largest_encoded(bytes), stored);
  return chunked::with_subject([&] { return "chunk " + file->path().string(); },
                               [&] { return decode(content, bytes, decoded); });
}

void PrecomputedReader::read_files(const Level& level, const Box& box, VolumeView<std::uint16_t> out) const {
  chunked::for_each_index(level.grid.touching(box),
                          [&](Index3 chunk) { copy_chunk(level, chunk, load_file(level, chunk), box, out); });
}

void PrecomputedReader::read_shards(const Level& level, const Box& box, VolumeView<std::uint16_t> out) const {
  static thread_local chunked::Scratch stored, decoded;
  const chunked::PrecomputedSharding& sharding = *level.scale.sharding;
  std::map<std::uint64_t, std::optional<ShardFile>> shards;
  chunked::for_each_index(level.grid.touching(box), [&](Index3 chunk) {
    const std::uint64_t number = level.order->number(chunk);
    const ShardPart part = locate(sharding, number);
    if (shards.size() > kMostOpen) shards.clear();
    const fs::path path = level.folder / shard_name(sharding, part.shard);
    auto found = shards.find(part.shard);
    if (found == shards.end())
      found = shards.emplace(part.shard, ShardFile::open_if_exists(path, sharding)).first;
    const std::size_t bytes = chunk_bytes(level, chunk);
    std::span<const std::byte> content;
    if (found->second) content = found->second->load(part.minishard, number, largest_encoded(bytes), stored);
    if (!content.empty())
      content = chunked::with_subject(
          [&] {
            return fmt::format("chunk ({}, {}, {}) in shard {}", chunk.x, chunk.y, chunk.z, path.string());
          },
          [&] { return decode_shard_chunk(sharding, content, bytes, decoded); });
    copy_chunk(level, chunk, content, box, out);
  });
}

void PrecomputedReader::read(std::int32_t level_index, const Box& box, VolumeView<std::uint16_t> out) {
  const Level& level = levels_.at(static_cast<std::size_t>(level_index));
  chunked::check_request(level.grid.shape, box, out.size);
  if (level.scale.sharding)
    read_shards(level, box, out);
  else
    read_files(level, box, out);
}

void PrecomputedReader::count_stored(const Level& level, chunked::StoredTotals& totals) const {
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(level.folder, missing)) {
    if (host_.cancelled()) throw Error("interrupted");
    if (!entry.is_regular_file() || entry.path().filename().native().starts_with('.')) continue;
    totals.stored_bytes += static_cast<std::int64_t>(entry.file_size());
    if (!level.scale.sharding) {
      totals.stored_chunks += 1;
      continue;
    }
    auto shard = ShardFile::open_if_exists(entry.path(), *level.scale.sharding);
    for (std::uint64_t m = 0; shard && m < shard->minishards(); ++m)
      totals.stored_chunks += static_cast<std::int64_t>(shard->minishard(m).size());
  }
}

void PrecomputedReader::describe(MetadataSink& sink) {
  chunked::StoredTotals totals;
  for (const Level& level : levels_) {
    chunked::add_level(totals, level.info.shape, level.info.chunk, info_.type);
    count_stored(level, totals);
  }
  const auto& sharding = levels_.front().scale.sharding;
  sink.text("format", sharding ? "Neuroglancer precomputed, sharded" : "Neuroglancer precomputed");
  sink.text("codec", sharding && sharding->data_encoding == chunked::ShardEncoding::gzip ? "gzip" : "raw");
  chunked::describe_totals(sink, totals);
}

}  // namespace spim::precomputed
