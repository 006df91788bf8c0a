#pragma once
/// From a stored volume to files of one plane each, decoding every chunk once.

#include <cstdint>

#include "spim/host/plane_series.hpp"

namespace spim {

/// What a writer takes of a plane at once.
struct PlaneChunk {
  Index3 size;
  std::int64_t writer_bytes = 0;  ///< what the writer says that it keeps for a plane
};
/// That of `series`, for planes of `source`.
PlaneChunk plane_chunk(const VolumeSource& source, const PlaneSeries& series, const PlaneLabels& labels);

/// How the planes of a volume are collected from its cells (Grain).
struct VolumePlanesPlan {
  std::int64_t slab = 0;       ///< planes that are collected at a time
  std::int64_t rows = 0;       ///< rows of each that are in memory at a time; all, unless a slab does not fit
  std::int64_t decodings = 1;  ///< most times that a cell is decoded
  std::int64_t memory_bytes = 0;  ///< peak
};

/// What write_volume_planes() will do with a writer of such chunks. A slab is as
/// thick as the cells are; where it does not fit, its rows go through memory in bands, and all its files are
/// open. Only where a writer takes whole planes, or rows so high that no band fits, slabs are thinner than
/// cells, and these are decoded more than once. Throws Error naming the bytes when not even one plane fits.
VolumePlanesPlan plan_volume_planes(const VolumeSource& source, const PlaneChunk& chunk,
                                    const PlaneWork& work);

/// Writes the wanted planes z of `source`, which has cells. Each file gets its chunks row by row, in the same
/// order whatever the workers and the memory.
VolumePlanesPlan write_volume_planes(const VolumeSource& source, const PlaneSeries& series,
                                     const PlaneLabels& labels, const PlaneWork& work);

}  // namespace spim
