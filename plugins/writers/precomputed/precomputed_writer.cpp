#include "precomputed_writer.hpp"

#include <fmt/format.h>

#include <cmath>

#include "chunk_name.hpp"
#include "common/chunk_file.hpp"
#include "common/chunk_grid.hpp"
#include "common/deflate.hpp"
#include "common/file.hpp"
#include "common/samples.hpp"
#include "common/totals.hpp"
#include "common/volume_checks.hpp"
#include "shard_file.hpp"
#include "shard_layout.hpp"
#include "spim/error.hpp"

namespace spim::precomputed {

namespace {

constexpr std::int64_t kDefaultChunk = 64;

/// The whole voxels nearest to where the volume's corner lies, as a multiple of what the coarsest level makes
/// one voxel of: coarser levels then begin at the same place.
std::int64_t whole_offset(double origin_um, double voxel_um, std::int32_t levels) {
  const double unit = std::ldexp(1.0, levels - 1);
  const double voxels = std::round((origin_um / voxel_um - 0.5) / unit) * unit;
  const double limit = static_cast<double>(std::int64_t{1} << 40);
  return std::abs(voxels) < limit ? static_cast<std::int64_t>(voxels) : 0;
}

Index3 whole_offset(const VolumeSpec& spec) {
  const Vec3 o = spec.origin_um, v = spec.voxel_um;
  return {whole_offset(o.x, v.x, spec.levels), whole_offset(o.y, v.y, spec.levels),
          whole_offset(o.z, v.z, spec.levels)};
}

}  // namespace

PrecomputedWriter::PrecomputedWriter(Host& host, const Options& options, std::string_view path)
    : host_(host),
      path_(path),
      shard_(chunked::shard_shape(options)),
      shard_memory_(chunked::shard_memory(options)),
      gzip_(options.text("compression") == "gzip"),
      level_(static_cast<int>(options.integer("level"))) {}

Index3 PrecomputedWriter::chunk_shape(const VolumeSpec& spec) const {
  const Index3 chunk = chunked::chunk_or_default(spec, kDefaultChunk);
  if (!sharded()) return chunk;
  const Index3 n = ceil_div(shard_, chunk);
  if (n.x > chunked::kMostChunksOfShard / n.y / n.z)
    throw UsageError(fmt::format("a shard of {} x {} x {} chunks is too large; give one of at most {} chunks",
                                 n.x, n.y, n.z, chunked::kMostChunksOfShard));
  return chunk;
}

std::int64_t PrecomputedWriter::memory_bytes(const VolumeSpec& spec) const {
  return sharded() ? chunked::shard_memory_of(spec, shard_memory_) : 0;
}

Index3 PrecomputedWriter::unit_shape(const VolumeSpec& spec) const {
  Index3 chunks{1, 1, 1};
  for (std::int32_t level = 0; sharded() && level < spec.levels; ++level) {
    // Boxes of shards are powers of two, so that the larger one holds whole ones of the other.
    const ChunkOrder order(ceil_div(level_shape(spec.shape, level), spec.chunk));
    const auto sharding = plan_sharding(order, ceil_div(shard_, spec.chunk), chunked::ShardEncoding::raw);
    chunks = max(chunks, order.box(sharding.preshift_bits + sharding.minishard_bits));
  }
  return {chunks.x * spec.chunk.x, chunks.y * spec.chunk.y, chunks.z * spec.chunk.z};
}

void PrecomputedWriter::remember(const VolumeSpec& spec) {
  chunked::check_spec(spec);
  info_ = chunked::info_of(spec);
  const Index3 offset = whole_offset(spec);
  for (std::size_t level = 0; level < info_.scales.size(); ++level) {
    chunked::PrecomputedScale& scale = info_.scales[level];
    scale.voxel_offset = {offset.x >> level, offset.y >> level, offset.z >> level};
    if (sharded())
      scale.sharding =
          plan_sharding(ChunkOrder(ceil_div(scale.size, scale.chunk)), ceil_div(shard_, scale.chunk),
                        gzip_ ? chunked::ShardEncoding::gzip : chunked::ShardEncoding::raw);
  }
  spec_ = spec;
  spec_.name = "";  // borrowed, and the format has no place for it
}

void PrecomputedWriter::open_shards(std::int64_t memory) {
  shard_format_.emplace(path_, info_);
  shards_.emplace(*shard_format_, memory, part_.get());
}

void PrecomputedWriter::begin(const VolumeSpec& spec) {
  remember(spec);
  chunked::create_folder(path_);
  for (const chunked::PrecomputedScale& scale : info_.scales) chunked::create_folder(path_ / scale.key);
  if (!sharded()) return chunked::warn_of_many_files(host_, spec_, "shard");
  open_shards(shard_memory_);
}

void PrecomputedWriter::join(const VolumeSpec& spec, const PartName& part) {
  remember(spec);
  part_ = std::make_unique<chunked::PartFiles>(path_, part);
  if (sharded()) open_shards(shard_memory_);
}

void PrecomputedWriter::finish_part(FileSink& files) {
  if (shards_) shards_->finish();
  part_->finish(files);
}

std::string PrecomputedWriter::chunk_path(const ChunkAddress& chunk) const {
  const chunked::PrecomputedScale& scale = info_.scales[static_cast<std::size_t>(chunk.level)];
  const Box voxels = chunked::ChunkGrid{scale.size, scale.chunk}.box(chunk.index);
  return fmt::format("{}/{}{}", scale.key, chunk_name(voxels, scale.voxel_offset), gzip_ ? kGzipEnding : "");
}

void PrecomputedWriter::store(const ChunkAddress& chunk, std::span<const std::byte> encoded) {
  if (shards_) return shards_->add(chunk, encoded);
  if (part_) return part_->store(chunk_path(chunk), encoded);
  chunked::write_whole(path_ / chunk_path(chunk), encoded);
}

/// What is stored of a chunk; empty when nothing is. In a buffer of the thread.
std::span<const std::byte> PrecomputedWriter::stored_bytes(const ChunkAddress& chunk) const {
  static thread_local chunked::Scratch scratch;
  constexpr auto kMost = static_cast<std::uint64_t>(chunked::kLargestChunkBytes);
  if (shard_format_) {
    const chunked::PrecomputedScale& scale = info_.scales[static_cast<std::size_t>(chunk.level)];
    auto shard = ShardFile::open_if_exists(shard_format_->plan(shard_format_->slot(chunk)).path,
                                           scale.sharding.value());
    if (!shard) return {};
    const std::uint64_t number = ChunkOrder(ceil_div(scale.size, scale.chunk)).number(chunk.index);
    return shard->load(locate(scale.sharding.value(), number).minishard, number, kMost, scratch);
  }
  const auto file = chunked::File::open_if_exists(path_ / chunk_path(chunk));
  return file ? chunked::read_chunk_file(*file, kMost, scratch) : std::span<const std::byte>();
}

void PrecomputedWriter::read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  const Box box{{}, voxels.size};
  const std::span<const std::byte> stored = stored_bytes(chunk);
  if (stored.empty()) return chunked::fill_samples(0, box, box, voxels);
  static thread_local chunked::Scratch decoded;
  const auto length = static_cast<std::size_t>(count(voxels.size) * bytes_of(spec_.type));
  if (!gzip_ && stored.size() != length)
    throw Error(fmt::format("a stored chunk has {} bytes instead of {}", stored.size(), length));
  const std::byte* const samples = gzip_ ? chunked::inflate_exactly(stored, length, decoded) : stored.data();
  const auto format =
      spec_.type == PixelType::u8 ? chunked::SampleFormat::u8 : chunked::SampleFormat::u16_little;
  chunked::copy_samples({samples, box, format}, box, voxels);
}

void PrecomputedWriter::write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  if (chunked::all_zero(voxels)) return write_zero(chunk);
  static thread_local chunked::Scratch samples, compressed;
  auto encoded = chunked::gather_samples(voxels, spec_.type, voxels.size, samples);
  if (gzip_) encoded = chunked::gzip_encode(level_, encoded, compressed);
  store(chunk, encoded);
  chunks_ += 1;
  stored_bytes_ += static_cast<std::int64_t>(encoded.size());
}

void PrecomputedWriter::write_zero(const ChunkAddress& chunk) {
  chunked::chunk_size(spec_, chunk);
  if (shards_) shards_->skip(chunk);
}

void PrecomputedWriter::finish() {
  chunked::check_begun(spec_);
  if (part_) {
    chunked::remove_unfinished_parts(path_);
    return chunked::replace_text(path_ / "info", chunked::encode_info(info_));
  }
  if (shards_) shards_->finish();
  chunked::write_text(path_ / "info", chunked::encode_info(info_));
}

void PrecomputedWriter::describe(MetadataSink& sink) {
  sink.text("format", "Neuroglancer precomputed");
  sink.text("codec", gzip_ ? fmt::format("gzip {}", level_) : "none");
  chunked::describe_totals(sink, chunked::written_totals(spec_, chunks_, stored_bytes_));
  if (shards_) chunked::describe_shards(sink, *shards_);
}

}  // namespace spim::precomputed
