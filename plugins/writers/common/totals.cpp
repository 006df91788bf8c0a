#include "common/totals.hpp"

namespace spim::chunked {

void add_level(StoredTotals& totals, Index3 shape, Index3 chunk, PixelType type) {
  totals.chunks += count(ceil_div(shape, chunk));
  totals.volume_bytes += count(shape) * bytes_of(type);
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
