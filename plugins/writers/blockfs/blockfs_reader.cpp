#include "blockfs_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/blosc_codec.hpp"
#include "common/file.hpp"
#include "common/json_fields.hpp"
#include "common/precomputed_info.hpp"
#include "common/samples.hpp"
#include "common/subject.hpp"
#include "common/totals.hpp"
#include "spim/error.hpp"

namespace spim::blockfs {

namespace fs = std::filesystem;

namespace {

constexpr std::int32_t kMostLevels = 31;

BlockDirectory read_directory(const fs::path& path) {
  const auto file = chunked::File::open(path);
  const std::uint64_t size = file.size();
  std::vector<std::byte> header(kFixedHeaderBytes);
  file.read(0, header);
  header.resize(header_size(std::span<const std::byte, kFixedHeaderBytes>(header), size, path.string()));
  file.read(0, header);
  return parse_header(header, path.string());
}

chunked::File open_block_file(const fs::path& directory_file, const std::string& name) {
  const fs::path folder = directory_file.parent_path();
  // An absolute name replaces the folder in this expression.
  if (auto file = chunked::File::open_if_exists(folder / name)) return std::move(*file);
  if (auto file = chunked::File::open_if_exists(folder / fs::path(name).filename())) return std::move(*file);
  throw Error(
      fmt::format("{} names the block file {}, which exists neither there nor in {}; put it beside the "
                  "directory file",
                  directory_file.string(), name, folder.string()));
}

/// The place of `block`; size 0 when the entry was never written.
BlockPlace read_place(const chunked::File& file, const BlockDirectory& directory, Index3 block) {
  const std::uint64_t at = directory.entry_at(block);
  std::byte entry[kWidestEntry];
  const std::span used(entry, directory.entry_bytes());
  if (at + used.size() > file.size()) return {};
  file.read(at, used);
  return decode_entry(directory, used);
}

/// Centre of the first voxel of `scale`. Offsets are of the corner of a voxel: relative to the centre of the
/// first voxel of the finest scale, that of a coarser one lies half the difference of the two further in.
Vec3 origin_of(const chunked::PrecomputedInfo& info, const chunked::PrecomputedScale& scale) {
  const Vec3 v = scale.voxel_um, finest = info.scales.front().voxel_um,
             origin = info.origin_um.value_or(Vec3{});
  const auto centre = [](double first, std::int64_t offset, double voxel, double fine) {
    return first + static_cast<double>(offset) * voxel + (voxel - fine) / 2;
  };
  return {centre(origin.x, scale.voxel_offset.x, v.x, finest.x),
          centre(origin.y, scale.voxel_offset.y, v.y, finest.y),
          centre(origin.z, scale.voxel_offset.z, v.z, finest.z)};
}

}  // namespace

BlockfsReader::BlockfsReader(Host& host, const Options&, std::string_view path) : host_(host) {
  // Normal form: a level is recognised by the name of its folder, whatever way leads there.
  const fs::path given = fs::absolute(path).lexically_normal();
  fs::path root = given;
  std::error_code ignored;
  if (!fs::is_directory(given, ignored) || chunked::is_file(given / kDirectoryName)) {
    const fs::path file = fs::is_directory(given, ignored) ? given / kDirectoryName : given;
    open_level(file);
    root = file.parent_path().parent_path();
  } else {
    for (std::int32_t level = 0; level < kMostLevels; ++level) {
      const fs::path file = given / chunked::level_key(level) / kDirectoryName;
      if (!chunked::is_file(file)) break;
      open_level(file);
    }
    if (levels_.empty())
      throw Error(fmt::format("{} is not a blockfs volume: it has neither {} nor {}/{}", given.string(),
                              kDirectoryName, chunked::level_key(0), kDirectoryName));
  }
  read_info(root);
}

void BlockfsReader::open_level(const fs::path& directory_file) {
  Level level{directory_file, read_directory(directory_file), {}};
  const auto& grid = level.directory.grid;
  if (!levels_.empty() && level.directory.type != levels_.front().directory.type)
    throw Error(fmt::format("{} holds another type of voxels than {}", directory_file.string(),
                            levels_.front().path.string()));
  level.info.shape = grid.shape;
  level.info.chunk = grid.chunk;
  levels_.push_back(std::move(level));
}

void BlockfsReader::read_info(const fs::path& root) {
  const auto file = chunked::File::open_if_exists(root / "info");
  if (!file) {
    host_.log(LogLevel::debug, fmt::format("{} has no info file: voxel sizes are unknown", root.string()));
    return;
  }
  const auto said = chunked::parse_info(chunked::read_text(*file, chunked::kLargestJson),
                                        chunked::InfoPart::places, file->path().string());
  for (Level& level : levels_) {
    const std::string key = level.path.parent_path().filename().string();
    for (const chunked::PrecomputedScale& scale : said.scales)
      if (scale.key == key) {
        level.info.voxel_um = scale.voxel_um;
        level.info.origin_um = origin_of(said, scale);
      }
  }
}

int BlockfsReader::probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept {
  constexpr int kCertain = 100;
  try {
    if (head_size >= 8 && std::memcmp(head, "BlockFS", 8) == 0) return kCertain;
    std::error_code ignored;
    const fs::path folder(path);
    if (fs::is_regular_file(folder / kDirectoryName, ignored)) return kCertain;
    if (fs::is_regular_file(folder / chunked::level_key(0) / kDirectoryName, ignored)) return kCertain;
  } catch (const std::exception&) {  // out of memory: let somebody else try
  }
  return 0;
}

VolumeInfo BlockfsReader::info() const {
  return {levels_.front().directory.type, static_cast<std::int32_t>(levels_.size())};
}

LevelInfo BlockfsReader::level(std::int32_t level) const {
  return levels_.at(static_cast<std::size_t>(level)).info;
}

std::span<const std::byte> BlockfsReader::load_frame(const Level& level, Index3 block) const {
  const BlockDirectory& directory = level.directory;
  const BlockPlace place = read_place(chunked::File::open(level.path), directory, block);
  if (place.size == 0) return {};
  const auto file =
      open_block_file(level.path, directory.files[directory.entry(block) % directory.files.size()]);
  const std::uint64_t size = file.size();
  if (place.offset > size || place.size > size - place.offset)
    throw Error(fmt::format("block ({}, {}, {}) of {} should lie at bytes {} to {} of {}, which has {}",
                            block.x, block.y, block.z, level.path.string(), place.offset,
                            place.offset + place.size, file.path().string(), size));
  // Blosc never needs more than its header on top of what it stores: more is damage, and must not be
  // allocated.
  const auto most =
      static_cast<std::uint64_t>(count(directory.grid.box(block).size()) * bytes_of(directory.type)) + 16;
  if (place.size > most)
    throw Error(fmt::format("block ({}, {}, {}) of {} should have {} bytes; it can have at most {}", block.x,
                            block.y, block.z, level.path.string(), place.size, most));
  static thread_local chunked::Scratch scratch;
  const std::span frame(scratch.bytes(place.size), place.size);
  file.read(place.offset, frame);
  return frame;
}

void BlockfsReader::read(std::int32_t level_index, const Box& box, VolumeView<std::uint16_t> out) {
  const Level& level = levels_.at(static_cast<std::size_t>(level_index));
  const auto& grid = level.directory.grid;
  const auto format =
      level.directory.type == PixelType::u8 ? chunked::SampleFormat::u8 : chunked::SampleFormat::u16_little;
  static thread_local chunked::Scratch scratch;
  chunked::check_request(grid.shape, box, out.size);
  chunked::for_each_index(grid.touching(box), [&](Index3 block) {
    const Box extent = grid.box(block);
    const auto frame = load_frame(level, block);
    if (frame.empty()) return chunked::fill_samples(0, extent, box, out);
    const auto size = static_cast<std::size_t>(count(extent.size()) * chunked::bytes_of(format));
    const std::byte* bytes = chunked::with_subject(
        [&] {
          return fmt::format("block ({}, {}, {}) of {}", block.x, block.y, block.z, level.path.string());
        },
        [&] { return chunked::blosc_decode(frame, size, scratch); });
    chunked::copy_samples({bytes, extent, format}, box, out);
  });
}

void BlockfsReader::count_stored(const Level& level, chunked::StoredTotals& totals,
                                 std::string& codec) const {
  // Counts what the file holds, not what the grid could: a made-up grid may be endless.
  constexpr std::uint64_t kEntriesAtOnce = 8192;
  const BlockDirectory& directory = level.directory;
  const auto file = chunked::File::open(level.path);
  const std::uint64_t size = std::min(file.size(), directory.full_size());
  const std::size_t width = directory.entry_bytes();
  const std::uint64_t entries = size > directory.entries_at ? (size - directory.entries_at) / width : 0;
  std::vector<std::byte> buffer;
  for (std::uint64_t first = 0; first < entries; first += kEntriesAtOnce) {
    if (host_.cancelled()) throw Error("interrupted");
    buffer.resize(std::min(kEntriesAtOnce, entries - first) * width);
    file.read(directory.entries_at + first * width, buffer);
    for (std::size_t at = 0; at < buffer.size(); at += width) {
      const BlockPlace place = decode_entry(directory, std::span(buffer).subspan(at, width));
      if (place.size == 0) continue;
      totals.stored_chunks += 1;
      // A size that is damage must not make the sum overflow.
      totals.stored_bytes +=
          static_cast<std::int64_t>(std::min<std::uint64_t>(place.size, chunked::kLargestChunkBytes));
      if (codec.empty()) codec = stored_codec(level, first + at / width, place);
    }
  }
}

std::string BlockfsReader::stored_codec(const Level& level, std::uint64_t entry, BlockPlace place) const {
  const auto& files = level.directory.files;
  std::byte header[16];
  open_block_file(level.path, files[entry % files.size()]).read(place.offset, header);
  return chunked::blosc_describe(header);
}

void BlockfsReader::describe(MetadataSink& sink) {
  chunked::StoredTotals totals;
  std::string codec;
  for (const Level& level : levels_) {
    chunked::add_level(totals, level.info.shape, level.info.chunk, level.directory.type);
    count_stored(level, totals, codec);
  }
  sink.text("format", "blockfs");
  sink.text("codec", codec.empty() ? "blosc (no block is stored)" : codec);
  sink.integer("block files per level", static_cast<std::int64_t>(levels_.front().directory.files.size()));
  chunked::describe_totals(sink, totals);
}

}  // namespace spim::blockfs
