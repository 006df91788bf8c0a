#include "zarr_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/chunk_file.hpp"
#include "common/file.hpp"
#include "common/json_fields.hpp"
#include "common/samples.hpp"
#include "common/subject.hpp"
#include "ome_metadata.hpp"
#include "shard_reader.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace fs = std::filesystem;

namespace {

constexpr const char* kArrayV2 = ".zarray";
constexpr const char* kGroupV2 = ".zattrs";
constexpr const char* kNodeV3 = "zarr.json";

std::string read_metadata(const fs::path& path) {
  return chunked::read_text(chunked::File::open(path), chunked::kLargestJson);
}

/// No encoding is that much larger than what it encodes: a chunk beyond is damage, and is not loaded.
std::uint64_t largest_encoded(const ArrayMetadata& array) {
  constexpr std::uint64_t kSlack = 65536;
  const auto decoded = static_cast<std::uint64_t>(array.chunk_bytes());
  return decoded + decoded / 16 + kSlack;
}

/// The file of a chunk, in `scratch`; empty when there is none.
std::span<const std::byte> load_file(const fs::path& path, const ArrayMetadata& array,
                                     chunked::Scratch& scratch) {
  const auto file = chunked::File::open_if_exists(path);
  return file ? chunked::read_chunk_file(*file, largest_encoded(array), scratch)
              : std::span<const std::byte>();
}

std::int64_t chunks_stored(const fs::path& path, const Sharding& sharding) {
  const auto shard = ShardReader::open_if_exists(path, sharding.index);
  if (!shard) return 0;
  return std::ranges::count_if(shard->places(), [](const chunked::ChunkPlace& p) { return !p.absent(); });
}

/// Names of the axes in front of z, y, x when the file does not say.
std::vector<std::string> usual_leading(std::size_t n) {
  if (n == 0) return {};
  if (n == 1) return {"c"};
  return {"t", "c"};
}

}  // namespace

ZarrReader::ZarrReader(Host& host, const Options& options, std::string_view path)
    : host_(host), choice_{options.integer("time"), options.integer("channel")} {
  const fs::path folder(path);
  if (chunked::is_file(folder / kArrayV2)) {
    levels_.push_back(open_array(folder, {}));
  } else if (chunked::is_file(folder / kGroupV2)) {
    open_group(folder, kGroupV2);
  } else if (chunked::is_file(folder / kNodeV3)) {
    if (is_array_v3(read_metadata(folder / kNodeV3), (folder / kNodeV3).string()))
      levels_.push_back(open_array(folder, {}));
    else
      open_group(folder, kNodeV3);
  } else {
    throw Error(fmt::format("{} is neither a Zarr array nor an OME-Zarr image: it has no {}, no {} and no {}",
                            folder.string(), kArrayV2, kGroupV2, kNodeV3));
  }
  version_ = chunked::is_file(levels_.front().path / kArrayV2) ? 2 : 3;
}

void ZarrReader::open_group(const fs::path& group, const char* metadata) {
  const std::string subject = (group / metadata).string();
  const OmeImage image = parse_ome(read_metadata(group / metadata), subject);
  for (const OmeLevel& found : image.levels) {
    Level level = open_array(group / found.path, image.axes);
    level.info.voxel_um = found.voxel_um;
    level.info.origin_um = found.origin_um;
    if (!levels_.empty() && chunked::pixel_type(level.array.format) != info().type)
      throw Error(fmt::format("{} holds another type of voxels than {}", level.path.string(),
                              levels_.front().path.string()));
    levels_.push_back(std::move(level));
  }
  if (levels_.front().info.voxel_um == Vec3{})
    host_.log(LogLevel::warning,
              fmt::format("{} does not say how large voxels are in a unit of length", subject));
}

ZarrReader::Level ZarrReader::open_array(const fs::path& folder, const std::vector<std::string>& axes) const {
  const bool v2 = chunked::is_file(folder / kArrayV2) || !chunked::is_file(folder / kNodeV3);
  const fs::path file = folder / (v2 ? kArrayV2 : kNodeV3);
  Level level;
  level.path = folder;
  level.array = v2 ? parse_array_v2(read_metadata(file), file.string())
                   : parse_array_v3(read_metadata(file), file.string());
  level.info.shape = level.array.grid.shape;
  level.info.chunk = level.array.grid.chunk;
  choose_leading(level, axes);
  return level;
}

void ZarrReader::choose_leading(Level& level, const std::vector<std::string>& axes) const {
  const auto& shape = level.array.leading_shape;
  if (!axes.empty() && axes.size() != shape.size() + 3)
    throw Error(fmt::format("{} has {} axes where its group names {}", level.path.string(), shape.size() + 3,
                            axes.size()));
  const auto names = axes.empty() ? usual_leading(shape.size()) : axes;
  std::int64_t inside = 0, slot = 0;
  level.prefix = level.array.key_prefix;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t wanted = names[i] == "c" ? choice_.channel : names[i] == "t" ? choice_.time : 0;
    if (wanted >= shape[i])
      throw UsageError(fmt::format("{} has {} along axis {}; {} was asked for, counted from 0",
                                   level.path.string(), shape[i], names[i], wanted));
    if (names[i] == "c")
      level.channels = static_cast<std::int32_t>(std::min<std::int64_t>(shape[i], INT32_MAX));
    const std::int64_t chunk = level.array.leading_chunk[i];
    const std::int64_t chunks = level.array.sharding ? level.array.sharding->leading_chunks[i] : 1;
    level.prefix += fmt::format("{}{}", wanted / chunk / chunks, level.array.separator);
    inside = inside * chunk + wanted % chunk;
    slot = slot * chunks + wanted / chunk % chunks;
  }
  level.chunk_offset = inside * count(level.array.grid.chunk) * chunked::bytes_of(level.array.format);
  if (level.array.sharding)
    level.first_slot = static_cast<std::size_t>(slot * count(level.array.sharding->chunks));
}

int ZarrReader::probe(const char* path, const unsigned char*, std::uint64_t) noexcept {
  constexpr int kCertain = 100, kPerhaps = 60;
  try {
    std::error_code ignored;
    const fs::path folder(path);
    for (const char* name : {kArrayV2, kNodeV3})
      if (fs::is_regular_file(folder / name, ignored)) return kCertain;
    if (fs::is_regular_file(folder / kGroupV2, ignored))
      return fs::is_regular_file(folder / ".zgroup", ignored) ? kCertain : kPerhaps;
  } catch (const std::exception&) {  // out of memory: let somebody else try
  }
  return 0;
}

VolumeInfo ZarrReader::info() const {
  return {chunked::pixel_type(levels_.front().array.format), static_cast<std::int32_t>(levels_.size()),
          levels_.front().channels};
}

LevelInfo ZarrReader::level(std::int32_t level) const {
  return levels_.at(static_cast<std::size_t>(level)).info;
}

fs::path ZarrReader::file_of(const Level& level, Index3 index) const {
  const std::string& separator = level.array.separator;
  return level.path /
         fmt::format("{}{}{}{}{}{}", level.prefix, index.z, separator, index.y, separator, index.x);
}

void ZarrReader::copy_chunk(const Level& level, Index3 index, std::span<const std::byte> stored,
                            const Box& box, VolumeView<std::uint16_t> out) const {
  static thread_local chunked::Scratch scratch;
  const ArrayMetadata& array = level.array;
  const Box inside = array.grid.box(index);
  if (stored.empty()) return chunked::fill_samples(array.fill, inside, box, out);
  const std::byte* bytes =
      decode_chunk(array.codecs, stored, static_cast<std::size_t>(array.chunk_bytes()), scratch);
  const Box extent{inside.begin, inside.begin + array.grid.chunk};
  chunked::copy_samples({bytes + level.chunk_offset, extent, array.format}, box, out);
}

void ZarrReader::read_chunks(const Level& level, const Box& box, VolumeView<std::uint16_t> out) const {
  static thread_local chunked::Scratch scratch;
  chunked::for_each_index(level.array.grid.touching(box), [&](Index3 i) {
    const fs::path path = file_of(level, i);
    const auto stored = load_file(path, level.array, scratch);
    chunked::with_subject([&] { return "chunk " + path.string(); },
                          [&] { copy_chunk(level, i, stored, box, out); });
  });
}

void ZarrReader::read_shards(const Level& level, const Box& box, VolumeView<std::uint16_t> out) const {
  static thread_local chunked::Scratch scratch;
  const chunked::ChunkGrid& grid = level.array.grid;
  const Index3 n = level.array.sharding->chunks;
  const std::uint64_t most = largest_encoded(level.array);
  const Box chunks = grid.touching(box);
  // Shards may be as large as they like: in units of chunks nothing overflows.
  const chunked::ChunkGrid shards{grid.count(), n};
  chunked::for_each_index(shards.touching(chunks), [&](Index3 s) {
    const fs::path path = file_of(level, s);
    const auto shard = ShardReader::open_if_exists(path, level.array.sharding->index);
    chunked::for_each_index(intersect(shards.box(s), chunks), [&](Index3 i) {
      const std::int64_t slot = ((i.z % n.z) * n.y + i.y % n.y) * n.x + i.x % n.x;
      const auto stored = shard
                              ? shard->load(level.first_slot + static_cast<std::size_t>(slot), most, scratch)
                              : std::span<const std::byte>{};
      chunked::with_subject(
          [&] { return fmt::format("chunk ({}, {}, {}) in shard {}", i.x, i.y, i.z, path.string()); },
          [&] { copy_chunk(level, i, stored, box, out); });
    });
  });
}

void ZarrReader::read(std::int32_t level_index, const Box& box, VolumeView<std::uint16_t> out) {
  const Level& level = levels_.at(static_cast<std::size_t>(level_index));
  chunked::check_request(level.array.grid.shape, box, out.size);
  if (level.array.sharding)
    read_shards(level, box, out);
  else
    read_chunks(level, box, out);
}

void ZarrReader::count_stored(const Level& level, chunked::StoredTotals& totals) const {
  for (const auto& entry : fs::recursive_directory_iterator(level.path)) {
    if (host_.cancelled()) throw Error("interrupted");
    const fs::path name = entry.path().filename();
    if (!entry.is_regular_file() || name.native().starts_with('.') || name == kNodeV3) continue;
    totals.stored_chunks += level.array.sharding ? chunks_stored(entry.path(), *level.array.sharding) : 1;
    totals.stored_bytes += static_cast<std::int64_t>(entry.file_size());
  }
}

void ZarrReader::describe(MetadataSink& sink) {
  chunked::StoredTotals totals;
  for (const Level& level : levels_) {
    chunked::add_level(totals, level.info.shape, level.info.chunk, info().type);
    count_stored(level, totals);
  }
  sink.text("format", fmt::format("Zarr v{}{}", version_, levels_.front().array.sharding ? ", sharded" : ""));
  sink.text("codec", levels_.front().array.codec);
  chunked::describe_totals(sink, totals);
}

}  // namespace spim::zarr
