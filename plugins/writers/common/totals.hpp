#pragma once
/// How much a volume holds and how much of it is stored, reported alike by all formats.

#include <cstdint>

#include "spim/host.hpp"
#include "spim/image.hpp"
#include "spim/volume_writer.hpp"

namespace spim::chunked {

/// Sums over all levels.
struct StoredTotals {
  std::int64_t chunks = 0;
  std::int64_t stored_chunks = 0;
  std::int64_t volume_bytes = 0;  ///< of all voxels, uncompressed
  std::int64_t stored_bytes = 0;  ///< of the stored chunks
};

/// Adds the chunks and voxels of one level (nothing of what is stored).
void add_level(StoredTotals& totals, Index3 shape, Index3 chunk, PixelType type);

/// Totals of a whole volume of which so much was stored.
StoredTotals written_totals(const VolumeSpec& spec, std::int64_t stored_chunks, std::int64_t stored_bytes);

/// Reports the totals and their ratio.
void describe_totals(MetadataSink& sink, const StoredTotals& totals);

}  // namespace spim::chunked
