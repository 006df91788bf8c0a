#pragma once
/// Names of the chunk files of scales without shards.

#include <fmt/format.h>

#include <string>

#include "spim/geometry.hpp"

namespace spim::precomputed {

/// What a file name has behind it when the file is compressed, as cloud-volume and others expect it.
inline constexpr char kGzipEnding[] = ".gz";

/// "x0-x1_y0-y1_z0-z1" of the chunk's voxels, which begin `offset` away from the volume's first one.
inline std::string chunk_name(const Box& voxels, Index3 offset) {
  const Box b = shift(voxels, offset);
  return fmt::format("{}-{}_{}-{}_{}-{}", b.begin.x, b.end.x, b.begin.y, b.end.y, b.begin.z, b.end.z);
}

}  // namespace spim::precomputed
