#include "zarr_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "array_metadata.hpp"
#include "common/chunk_file.hpp"
#include "common/chunk_grid.hpp"
#include "common/crc32c.hpp"
#include "common/file.hpp"
#include "common/samples.hpp"
#include "common/shard_options.hpp"
#include "common/totals.hpp"
#include "common/volume_checks.hpp"
#include "shard_reader.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kDefaultChunk = 128;

std::int64_t grey_level(double value, std::int64_t largest) {
  return value > 0 ? static_cast<std::int64_t>(std::min(std::round(value), static_cast<double>(largest))) : 0;
}

/// Chunks of a shard along each axis. Throws UsageError unless a shard is made of whole chunks.
Index3 chunks_of_shard(Index3 shard, Index3 chunk) {
  const Index3 chunks = ceil_div(shard, chunk);
  if (Index3{chunks.x * chunk.x, chunks.y * chunk.y, chunks.z * chunk.z} != shard)
    throw UsageError(fmt::format(
        "a shard of {} x {} x {} voxels is not made of whole chunks of {} x {} x {}; give multiples of them",
        shard.x, shard.y, shard.z, chunk.x, chunk.y, chunk.z));
  if (chunks.x > chunked::kMostChunksOfShard / chunks.y / chunks.z)
    throw UsageError(fmt::format("a shard of {} x {} x {} chunks is too large; give one of at most {} chunks",
                                 chunks.x, chunks.y, chunks.z, chunked::kMostChunksOfShard));
  return chunks;
}

/// For channels that nobody chose a colour for, as long as they last.
constexpr const char* kColors[] = {"00FF00", "FF00FF", "00FFFF", "FFFF00", "FF0000", "0000FF", "FFFFFF"};

/// What `spec` says of its channels; empty where it leaves the choice to us.
std::vector<ChannelLook> given_looks(const VolumeSpec& spec) {
  std::vector<ChannelLook> looks(static_cast<std::size_t>(spec.channel_count), {"", "", {0, 0}});
  for (std::size_t i = 0; spec.channels != nullptr && i < looks.size(); ++i) {
    const ChannelSpec& given = spec.channels[i];
    looks[i].label = given.label != nullptr ? given.label : "";
    looks[i].color = given.color != nullptr ? given.color : "";
    if (!looks[i].color.empty()) check_color(looks[i].color);
    const std::int64_t largest = spec.type == PixelType::u8 ? 255 : 65535;
    looks[i].window = {grey_level(given.window_start, largest), grey_level(given.window_end, largest)};
  }
  return looks;
}

}  // namespace

ZarrWriter::ZarrWriter(Host& host, const Options& options, std::string_view path)
    : host_(host), path_(path), settings_(options) {}

Index3 ZarrWriter::chunk_shape(const VolumeSpec& spec) const {
  const Index3 chunk = chunked::chunk_or_default(spec, kDefaultChunk);
  if (settings_.shard != Index3{}) chunks_of_shard(settings_.shard, chunk);
  return chunk;
}

std::int64_t ZarrWriter::memory_bytes(const VolumeSpec& spec) const {
  return settings_.shard == Index3{} ? 0 : chunked::shard_memory_of(spec, settings_.shard_memory);
}

Index3 ZarrWriter::unit_shape(const VolumeSpec& spec) const {
  return settings_.shard == Index3{} ? spec.chunk : settings_.shard;
}

void ZarrWriter::remember(const VolumeSpec& spec) {
  chunked::check_spec(spec);
  spec_ = spec;
  name_ = spec.name != nullptr && *spec.name != '\0' ? spec.name : "volume";
  spec_.name = "";  // borrowed, as what the channels are called
  spec_.channels = nullptr;
  channels_ = given_looks(spec);
  windows_.resize(static_cast<std::size_t>(spec.channel_count));
}

void ZarrWriter::join(const VolumeSpec& spec, const PartName& part) {
  remember(spec);
  part_ = std::make_unique<chunked::PartFiles>(path_, part);
  if (settings_.shard != Index3{}) open_shards(settings_.shard_memory);
}

void ZarrWriter::open_shards(std::int64_t memory) {
  shard_format_.emplace(path_, spec_, chunks_of_shard(settings_.shard, spec_.chunk), settings_.index);
  shards_.emplace(*shard_format_, memory, part_.get());
}

void ZarrWriter::begin(const VolumeSpec& spec) {
  remember(spec);
  chunked::create_folder(path_);
  for (std::int32_t level = 0; level < spec.levels; ++level)
    chunked::create_folder(path_ / fmt::format("{}", level));
  if (settings_.shard == Index3{}) return chunked::warn_of_many_files(host_, spec_, "shard");
  open_shards(settings_.shard_memory);
}

/// Relative to the volume.
std::string ZarrWriter::chunk_path(const ChunkAddress& chunk) const {
  const Index3 i = chunk.index;
  return fmt::format("{}/{}0/{}/{}/{}/{}", chunk.level, settings_.zarr_format == 3 ? "c/" : "", chunk.channel,
                     i.z, i.y, i.x);
}

void ZarrWriter::store(const ChunkAddress& chunk, std::span<const std::byte> encoded) {
  if (shards_) return shards_->add(chunk, encoded);
  if (part_) return part_->store(chunk_path(chunk), encoded);
  chunked::write_whole(path_ / chunk_path(chunk), encoded);
}

void ZarrWriter::finish_part(FileSink& files) {
  if (shards_) shards_->finish();
  part_->finish(files);
}

/// What is stored of a chunk; empty when nothing is. In a buffer of the thread.
std::span<const std::byte> ZarrWriter::stored_bytes(const ChunkAddress& chunk) const {
  static thread_local chunked::Scratch scratch;
  constexpr auto kMost = static_cast<std::uint64_t>(chunked::kLargestChunkBytes);
  if (shard_format_) {
    const chunked::ShardSlot slot = shard_format_->slot(chunk);
    const chunked::ShardPlan plan = shard_format_->plan(slot);
    const auto shard = ShardReader::open_if_exists(plan.path, {plan.slots, settings_.index});
    return shard ? shard->load(slot.slot, kMost, scratch) : std::span<const std::byte>();
  }
  const auto file = chunked::File::open_if_exists(path_ / chunk_path(chunk));
  return file ? chunked::read_chunk_file(*file, kMost, scratch) : std::span<const std::byte>();
}

void ZarrWriter::read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  const Box box{{}, voxels.size};
  const std::span<const std::byte> stored = stored_bytes(chunk);
  if (stored.empty()) return chunked::fill_samples(0, box, box, voxels);
  static thread_local chunked::Scratch decoded;
  const ChunkCodecs codecs{0, settings_.codec.compressor, settings_.checksum ? 1 : 0};
  const auto length = static_cast<std::size_t>(count(spec_.chunk) * bytes_of(spec_.type));
  const auto format =
      spec_.type == PixelType::u8 ? chunked::SampleFormat::u8 : chunked::SampleFormat::u16_little;
  chunked::copy_samples({decode_chunk(codecs, stored, length, decoded), {{}, spec_.chunk}, format}, box,
                        voxels);
}

/// The coarsest level sees the whole volume at a fraction of the cost; of a large one a part is enough.
bool ZarrWriter::shows_its_window(const ChunkAddress& chunk) const {
  constexpr std::int64_t kMostChunks = 512;
  if (chunk.level != spec_.levels - 1) return false;
  const Index3 grid = ceil_div(level_shape(spec_.shape, chunk.level), spec_.chunk);
  const std::int64_t number = (chunk.index.z * grid.y + chunk.index.y) * grid.x + chunk.index.x;
  return number % (ceil_div(count(grid), kMostChunks) | 1) == 0;
}

/// The chunks that show the window were written by others.
void ZarrWriter::sample_stored_chunks() {
  const std::int32_t level = spec_.levels - 1;
  const chunked::ChunkGrid grid{level_shape(spec_.shape, level), spec_.chunk};
  std::vector<std::uint16_t> voxels;
  for (std::int32_t channel = 0; channel < spec_.channel_count; ++channel)
    chunked::for_each_index({{}, grid.count()}, [&](Index3 index) {
      const ChunkAddress chunk{level, index, channel};
      if (!shows_its_window(chunk)) return;
      const Index3 size = grid.box(index).size();
      voxels.resize(static_cast<std::size_t>(count(size)));
      const auto view = dense_view(voxels.data(), size);
      read_back(chunk, view);
      if (!chunked::all_zero(as_const(view)))
        windows_[static_cast<std::size_t>(channel)].sample(as_const(view));
    });
}

void ZarrWriter::write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  if (chunked::all_zero(voxels)) return write_zero(chunk);
  static thread_local chunked::Scratch samples, frame, checked;
  const auto bytes = chunked::gather_samples(voxels, spec_.type, spec_.chunk, samples);
  auto encoded = encode_chunk(settings_.codec, static_cast<std::size_t>(bytes_of(spec_.type)), bytes, frame);
  if (settings_.checksum) encoded = chunked::append_checksum(encoded, checked);
  if (!part_ && shows_its_window(chunk)) windows_[static_cast<std::size_t>(chunk.channel)].sample(voxels);
  store(chunk, encoded);
  chunks_ += 1;
  stored_bytes_ += static_cast<std::int64_t>(encoded.size());
}

void ZarrWriter::write_zero(const ChunkAddress& chunk) {
  chunked::chunk_size(spec_, chunk);
  if (shards_) shards_->skip(chunk);
}

void ZarrWriter::store_metadata(const fs::path& path, std::string_view text) const {
  if (!part_) return chunked::write_text(path, text);
  chunked::create_folders(path.parent_path());
  chunked::replace_text(path, text);
}

void ZarrWriter::write_arrays() const {
  const bool v3 = settings_.zarr_format == 3;
  for (std::int32_t level = 0; level < spec_.levels; ++level) {
    ArrayToWrite array;
    array.grid = {level_shape(spec_.shape, level), spec_.chunk};
    array.channels = spec_.channel_count;
    array.type = spec_.type;
    array.codec = settings_.codec;
    array.checksum = settings_.checksum;
    array.shard = settings_.shard;
    array.index = settings_.index;
    const fs::path folder = path_ / fmt::format("{}", level);
    if (v3)
      store_metadata(folder / "zarr.json", encode_array_v3(array));
    else
      store_metadata(folder / ".zarray", encode_array_v2(array));
  }
}

std::vector<ChannelLook> ZarrWriter::looks() const {
  const std::int64_t largest = spec_.type == PixelType::u8 ? 255 : 65535;
  const bool only = channels_.size() == 1;
  std::vector<ChannelLook> looks = channels_;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    ChannelLook& look = looks[i];
    if (look.label.empty() && only)
      look.label = settings_.channel_name.empty() ? name_ : settings_.channel_name;
    if (look.label.empty()) look.label = fmt::format("{} {}", name_, i);
    if (look.color.empty()) look.color = only ? settings_.channel_color : kColors[i % std::size(kColors)];
    if (look.window.start >= look.window.end) look.window = windows_[i].range(largest);
  }
  return looks;
}

void ZarrWriter::write_group() const {
  if (settings_.zarr_format == 3)
    return store_metadata(path_ / "zarr.json", encode_ome(OmeVersion::v05, spec_, name_, looks()));
  store_metadata(path_ / ".zgroup", "{\n    \"zarr_format\": 2\n}\n");
  store_metadata(path_ / ".zattrs", encode_ome(OmeVersion::v04, spec_, name_, looks()));
}

void ZarrWriter::finish() {
  chunked::check_begun(spec_);
  if (part_) {
    chunked::remove_unfinished_parts(path_);
    sample_stored_chunks();
  }
  if (shards_) shards_->finish();
  write_arrays();
  write_group();
}

void ZarrWriter::describe(MetadataSink& sink) {
  sink.text("format", settings_.zarr_format == 3 ? "OME-Zarr 0.5" : "OME-Zarr 0.4");
  sink.text("codec", describe_codec(settings_.codec));
  chunked::describe_totals(sink, chunked::written_totals(spec_, chunks_, stored_bytes_));
  if (shards_) chunked::describe_shards(sink, *shards_);
}

}  // namespace spim::zarr
