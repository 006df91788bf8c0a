#include "precomputed_writer.hpp"

#include <fmt/format.h>

#include <cmath>

#include "chunk_name.hpp"
#include "common/chunk_grid.hpp"
#include "common/deflate.hpp"
#include "common/file.hpp"
#include "common/samples.hpp"
#include "common/totals.hpp"
#include "common/volume_checks.hpp"
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

void PrecomputedWriter::begin(const VolumeSpec& spec) {
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
  chunked::create_folder(path_);
  for (const chunked::PrecomputedScale& scale : info_.scales) chunked::create_folder(path_ / scale.key);
  if (!sharded()) return chunked::warn_of_many_files(host_, spec_, "shard");
  shard_format_.emplace(path_, info_);
  shards_.emplace(*shard_format_, shard_memory_);
}

void PrecomputedWriter::store(const ChunkAddress& chunk, std::span<const std::byte> encoded) {
  if (shards_) return shards_->add(chunk, encoded);
  const chunked::PrecomputedScale& scale = info_.scales[static_cast<std::size_t>(chunk.level)];
  const Box voxels = chunked::ChunkGrid{scale.size, scale.chunk}.box(chunk.index);
  const std::string name = chunk_name(voxels, scale.voxel_offset) + (gzip_ ? kGzipEnding : "");
  chunked::write_whole(path_ / scale.key / name, encoded);
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
