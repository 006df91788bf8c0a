#include "zarr_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chunk_decoder.hpp"
#include "common/file.hpp"
#include "common/json_fields.hpp"
#include "common/samples.hpp"
#include "common/subject.hpp"
#include "ome_metadata.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace fs = std::filesystem;

namespace {

std::string read_metadata(const fs::path& path) {
  return chunked::read_text(chunked::File::open(path), chunked::kLargestJson);
}

/// No encoding is that much larger than what it encodes: a chunk file beyond is damage, and is not loaded.
std::uint64_t largest_encoded(std::int64_t decoded) {
  constexpr std::uint64_t kSlack = 65536;
  return static_cast<std::uint64_t>(decoded) + static_cast<std::uint64_t>(decoded) / 16 + kSlack;
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
  if (chunked::is_file(folder / ".zarray")) {
    levels_.push_back(open_array(folder, {}));
  } else if (chunked::is_file(folder / ".zattrs")) {
    open_group(folder);
  } else if (chunked::is_file(folder / "zarr.json")) {
    throw Error(fmt::format("{} is Zarr version 3; only version 2 is read", folder.string()));
  } else {
    throw Error(
        fmt::format("{} is neither a Zarr array nor an OME-Zarr image: it has no .zarray and no .zattrs",
                    folder.string()));
  }
}

void ZarrReader::open_group(const fs::path& group) {
  const std::string subject = (group / ".zattrs").string();
  const OmeImage image = parse_ome(read_metadata(group / ".zattrs"), subject);
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
  const fs::path file = folder / ".zarray";
  Level level;
  level.path = folder;
  level.array = parse_array(read_metadata(file), file.string());
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
  std::int64_t inside = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t wanted = names[i] == "c" ? choice_.channel : names[i] == "t" ? choice_.time : 0;
    if (wanted >= shape[i])
      throw UsageError(fmt::format("{} has {} along axis {}; {} was asked for, counted from 0",
                                   level.path.string(), shape[i], names[i], wanted));
    const std::int64_t chunk = level.array.leading_chunk[i];
    level.chunk_prefix += fmt::format("{}{}", wanted / chunk, level.array.separator);
    inside = inside * chunk + wanted % chunk;
  }
  level.chunk_offset = inside * count(level.array.grid.chunk) * chunked::bytes_of(level.array.format);
}

int ZarrReader::probe(const char* path, const unsigned char*, std::uint64_t) noexcept {
  constexpr int kCertain = 100, kUnreadableVersion = 20, kPerhaps = 60;
  try {
    std::error_code ignored;
    const fs::path folder(path);
    if (fs::is_regular_file(folder / ".zarray", ignored)) return kCertain;
    if (fs::is_regular_file(folder / ".zattrs", ignored))
      return fs::is_regular_file(folder / ".zgroup", ignored) ? kCertain : kPerhaps;
    // So that the user hears what is wrong instead of "unknown format".
    if (fs::is_regular_file(folder / "zarr.json", ignored)) return kUnreadableVersion;
  } catch (const std::exception&) {  // out of memory: let somebody else try
  }
  return 0;
}

VolumeInfo ZarrReader::info() const {
  return {chunked::pixel_type(levels_.front().array.format), static_cast<std::int32_t>(levels_.size())};
}

LevelInfo ZarrReader::level(std::int32_t level) const {
  return levels_.at(static_cast<std::size_t>(level)).info;
}

std::span<const std::byte> ZarrReader::load_file(const fs::path& path, const ArrayMetadata& array) const {
  const auto file = chunked::File::open_if_exists(path);
  if (!file) return {};
  const std::uint64_t size = file->size();
  const std::uint64_t most = largest_encoded(array.chunk_bytes());
  if (size == 0 || size > most)
    throw Error(fmt::format("chunk {} has {} bytes; it should have 1 to {}", path.string(), size, most));
  static thread_local chunked::Scratch scratch;
  const std::span bytes(scratch.bytes(size), size);
  file->read(0, bytes);
  return bytes;
}

void ZarrReader::read(std::int32_t level_index, const Box& box, VolumeView<std::uint16_t> out) {
  const Level& level = levels_.at(static_cast<std::size_t>(level_index));
  const ArrayMetadata& array = level.array;
  static thread_local chunked::Scratch scratch;
  chunked::check_request(array.grid.shape, box, out.size);
  chunked::for_each_index(array.grid.touching(box), [&](Index3 i) {
    const fs::path path = level.path / fmt::format("{}{}{}{}{}{}", level.chunk_prefix, i.z, array.separator,
                                                   i.y, array.separator, i.x);
    const auto stored = load_file(path, array);
    const Box inside = array.grid.box(i);
    if (stored.empty()) return chunked::fill_samples(array.fill, inside, box, out);
    const std::byte* bytes =
        chunked::with_subject([&] { return "chunk " + path.string(); },
                              [&] {
                                return decode_chunk(array.compressor, stored,
                                                    static_cast<std::size_t>(array.chunk_bytes()), scratch);
                              });
    const Box extent{inside.begin, inside.begin + array.grid.chunk};
    chunked::copy_samples({bytes + level.chunk_offset, extent, array.format}, box, out);
  });
}

void ZarrReader::count_stored(const Level& level, chunked::StoredTotals& totals) const {
  for (const auto& entry : fs::recursive_directory_iterator(level.path)) {
    if (host_.cancelled()) throw Error("interrupted");
    if (!entry.is_regular_file() || entry.path().filename().native().starts_with('.')) continue;
    totals.stored_chunks += 1;
    totals.stored_bytes += static_cast<std::int64_t>(entry.file_size());
  }
}

void ZarrReader::describe(MetadataSink& sink) {
  chunked::StoredTotals totals;
  for (const Level& level : levels_) {
    chunked::add_level(totals, level.info.shape, level.info.chunk, info().type);
    count_stored(level, totals);
  }
  sink.text("format", "Zarr v2");
  sink.text("codec", levels_.front().array.codec);
  chunked::describe_totals(sink, totals);
}

}  // namespace spim::zarr
