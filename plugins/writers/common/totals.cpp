#include "common/totals.hpp"

namespace spim::chunked {

void add_level(StoredTotals& totals, Index3 shape, Index3 chunk, PixelType type) {
  totals.chunks += count(ceil_div(shape, chunk));
  totals.volume_bytes += count(shape) * bytes_of(type);
}

StoredTotals written_totals(const VolumeSpec& spec, std::int64_t stored_chunks, std::int64_t stored_bytes) {
  StoredTotals totals;
  for (std::int32_t level = 0; level < spec.levels; ++level)
    add_level(totals, level_shape(spec.shape, level), spec.chunk, spec.type);
  totals.chunks *= spec.channel_count;
  totals.volume_bytes *= spec.channel_count;
  totals.stored_chunks = stored_chunks;
  totals.stored_bytes = stored_bytes;
  return totals;
}

void describe_totals(MetadataSink& sink, const StoredTotals& totals) {
  sink.integer("chunks", totals.chunks);
  sink.integer("stored chunks", totals.stored_chunks);
  sink.integer("volume bytes", totals.volume_bytes);
  sink.integer("stored bytes", totals.stored_bytes);
  if (totals.stored_bytes > 0)
    sink.number("ratio", static_cast<double>(totals.volume_bytes) / static_cast<double>(totals.stored_bytes));
}

}  // namespace spim::chunked
