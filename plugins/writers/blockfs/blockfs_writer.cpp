#include "blockfs_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/part_files.hpp"
#include "common/precomputed_info.hpp"
#include "common/samples.hpp"
#include "common/totals.hpp"
#include "common/volume_checks.hpp"
#include "spim/error.hpp"

namespace spim::blockfs {

namespace {

constexpr std::int64_t kDefaultBlock = 64;

}  // namespace

struct BlockfsWriter::Level {
  BlockDirectory directory;
  std::string header;
  chunked::File directory_file;
  std::vector<chunked::File> files;
  std::vector<std::atomic<std::uint64_t>> ends;  ///< first free byte of each block file
};

BlockfsWriter::BlockfsWriter(Host&, const Options& options, std::string_view path)
    : path_(path),
      codec_(chunked::blosc_settings(options)),
      files_(options.integer("files")),
      absolute_names_(options.text("absolute-names")) {
  if (!absolute_names_.empty() && !std::filesystem::path(absolute_names_).is_absolute())
    throw UsageError(fmt::format("absolute-names is \"{}\", which is not an absolute path", absolute_names_));
}

BlockfsWriter::~BlockfsWriter() = default;

Index3 BlockfsWriter::chunk_shape(const VolumeSpec& spec) const {
  return chunked::chunk_or_default(spec, kDefaultBlock);
}

std::vector<std::string> BlockfsWriter::block_file_names(std::int32_t level, std::int64_t count) const {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) {
    std::string name = fmt::format("{}.{}", kDirectoryName, i);
    if (!absolute_names_.empty())
      name = (std::filesystem::path(absolute_names_) / chunked::level_key(level) / name).string();
    names.push_back(std::move(name));
  }
  return names;
}

std::unique_ptr<BlockfsWriter::Level> BlockfsWriter::create_level(std::int32_t level) const {
  const chunked::ChunkGrid grid{level_shape(spec_.shape, level), spec_.chunk};
  const std::string key = chunked::level_key(level);
  const auto n = std::min(files_, count(grid.count()));
  BlockDirectory directory = plan_directory(grid, spec_.type, block_file_names(level, n));
  directory.codec = codec_.codec;
  directory.level = codec_.level;
  std::string header = encode_header(directory);

  const auto folder = path_ / key;
  chunked::create_folder(folder);
  auto directory_file = chunked::File::create(folder / kDirectoryName);
  std::vector<chunked::File> files;
  for (std::int64_t i = 0; i < n; ++i)
    files.push_back(chunked::File::create(folder / fmt::format("{}.{}", kDirectoryName, i)));
  return std::unique_ptr<Level>(new Level{std::move(directory), std::move(header), std::move(directory_file),
                                          std::move(files), std::vector<std::atomic<std::uint64_t>>(n)});
}

void BlockfsWriter::remember(const VolumeSpec& spec) {
  chunked::check_spec(spec);
  spec_ = spec;
  spec_.name = "";  // borrowed, and the format has no place for it
}

/// Columns of a level that a directory file can name.
std::int64_t BlockfsWriter::most_columns() const {
  // Of a name with its quotes and comma; JSON may take six bytes for one of a path.
  const std::size_t name_bytes = 64 + 6 * absolute_names_.size();
  return std::min(kMostBlockFiles, static_cast<std::int64_t>(kLargestHeader / name_bytes));
}

Index3 BlockfsWriter::unit_shape(const VolumeSpec& spec) const {
  const Index3 grid = block_grid(spec, 0);
  if (grid.x > most_columns() / grid.z)
    throw UsageError(fmt::format(
        "a blockfs volume in parts has a file for each column of blocks along y, here {} x {}; {} are read "
        "back at most, so choose a larger --chunk-size{}",
        grid.x, grid.z, most_columns(), absolute_names_.empty() ? "" : ", or leave out absolute-names"));
  return {spec.chunk.x, spec.chunk.y * grid.y, spec.chunk.z};
}

void BlockfsWriter::join(const VolumeSpec& spec, const PartName& part) {
  remember(spec);
  columns_ = std::make_unique<BlockColumns>(path_, spec_, part);
}

void BlockfsWriter::finish_part(FileSink& files) {
  columns_->finish(files);
}

void BlockfsWriter::read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  const Box box{{}, voxels.size};
  const std::filesystem::path path = path_ / column_file(spec_, chunk);
  const auto places = read_column(path, block_grid(spec_, chunk.level).y);
  const BlockPlace place = places.empty() ? BlockPlace{} : places[static_cast<std::size_t>(chunk.index.y)];
  if (place.size == 0) return chunked::fill_samples(0, box, box, voxels);
  static thread_local chunked::Scratch stored, decoded;
  const std::span frame(stored.bytes(place.size), place.size);
  chunked::File::open(path).read(place.offset, frame);
  const auto bytes = static_cast<std::size_t>(count(voxels.size) * bytes_of(spec_.type));
  const auto format =
      spec_.type == PixelType::u8 ? chunked::SampleFormat::u8 : chunked::SampleFormat::u16_little;
  chunked::copy_samples({chunked::blosc_decode(frame, bytes, decoded), box, format}, box, voxels);
}

/// The directory of a level whose columns are all stored. Strides make entry k of block (x, y, z) fall into
/// file k mod n = x + z·nx.
void BlockfsWriter::write_merged_directory(std::int32_t level) const {
  const Index3 grid = block_grid(spec_, level);
  const std::int64_t columns = grid.x * grid.z;
  BlockDirectory directory = plan_directory({level_shape(spec_.shape, level), spec_.chunk}, spec_.type,
                                            block_file_names(level, columns));
  directory.stride = {1, columns, grid.x};
  directory.codec = codec_.codec;
  directory.level = codec_.level;
  const std::string header = encode_header(directory);
  const auto place = path_ / chunked::level_key(level) / kDirectoryName;
  const auto unfinished = path_ / chunked::level_key(level) / ".part-directory";
  std::error_code error;
  std::filesystem::remove(unfinished, error);
  chunked::File file = chunked::File::create(unfinished);
  file.resize(directory.full_size());
  file.write(0, chunked::bytes_of_text(header));
  std::byte entry[kWidestEntry];
  const std::span used(entry, directory.entry_bytes());
  for (std::int64_t z = 0; z < grid.z; ++z)
    for (std::int64_t x = 0; x < grid.x; ++x) {
      const auto places = read_column(path_ / column_file(spec_, {level, {x, 0, z}}), grid.y);
      for (std::size_t y = 0; y < places.size(); ++y) {
        encode_entry(directory, places[y], used);
        file.write(directory.entry_at({x, static_cast<std::int64_t>(y), z}), used);
      }
    }
  file.close();
  chunked::put_in_place(unfinished, place);
}

void BlockfsWriter::begin(const VolumeSpec& spec) {
  remember(spec);
  chunked::create_folder(path_);
  for (std::int32_t level = 0; level < spec.levels; ++level) levels_.push_back(create_level(level));
}

void BlockfsWriter::write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  if (chunked::all_zero(voxels)) return write_zero(chunk);
  static thread_local chunked::Scratch samples, frame;
  const auto bytes = chunked::gather_samples(voxels, spec_.type, voxels.size, samples);
  const auto encoded =
      chunked::blosc_encode(codec_, static_cast<std::size_t>(bytes_of(spec_.type)), bytes, frame);

  blocks_ += 1;
  stored_bytes_ += static_cast<std::int64_t>(encoded.size());
  if (columns_) return columns_->store(chunk, encoded);
  Level& level = *levels_[static_cast<std::size_t>(chunk.level)];
  const std::size_t file = level.directory.entry(chunk.index) % level.files.size();
  const BlockPlace place{level.ends[file].fetch_add(encoded.size()), encoded.size()};
  level.files[file].write(place.offset, encoded);
  std::byte entry[kWidestEntry];
  const std::span used(entry, level.directory.entry_bytes());
  encode_entry(level.directory, place, used);
  level.directory_file.write(level.directory.entry_at(chunk.index), used);
}

void BlockfsWriter::write_zero(const ChunkAddress& chunk) {
  if (columns_) columns_->store(chunk, {});
}

void BlockfsWriter::finish() {
  chunked::check_begun(spec_);
  if (columns_) {
    columns_.reset();
    chunked::remove_unfinished_parts(path_);
    for (std::int32_t level = 0; level < spec_.levels; ++level) write_merged_directory(level);
    return chunked::replace_text(path_ / "info", chunked::encode_info(chunked::info_of(spec_)));
  }
  for (auto& level : levels_) {
    for (auto& file : level->files) file.close();
    // Entries of blocks that are all zero were never written: they become zeros, up to the last.
    level->directory_file.resize(level->directory.full_size());
    level->directory_file.write(0, chunked::bytes_of_text(level->header));
    level->directory_file.close();
  }
  // voxel_offset stays 0 whatever the origin: programs that look blocks up by position (the original's server
  // among them) would miss every block.
  chunked::write_text(path_ / "info", chunked::encode_info(chunked::info_of(spec_)));
}

void BlockfsWriter::describe(MetadataSink& sink) {
  sink.text("format", "blockfs");
  sink.text("codec", chunked::blosc_describe(codec_));
  chunked::describe_totals(sink, chunked::written_totals(spec_, blocks_, stored_bytes_));
}

}  // namespace spim::blockfs
