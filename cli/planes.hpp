#pragma once
/// Planes and maximum projections of volumes and stacks, read in bounded memory.

#include <cstdint>

#include "picture.hpp"
#include "spim/frame_reader.hpp"
#include "spim/host/executor.hpp"
#include "spim/volume_reader.hpp"

namespace spim::cli {

enum class Axis { x, y, z };

/// What of a level is shown: the planes [begin, end) across `axis`; more than one are projected.
struct PlaneRange {
  std::int32_t level = 0;
  Axis axis = Axis::z;
  std::int64_t begin = 0;
  std::int64_t end = 1;
};

/// Number of planes across `axis`.
std::int64_t extent(Index3 shape, Axis axis);

/// Across z: rows y, columns x. Across y: rows z, columns x. Across x: rows z, columns y. Reads chunk by
/// chunk on all workers. Throws Error when the picture would have more than kLargestPicture samples.
Picture project(VolumeReader& reader, const PlaneRange& range, const Executor& executor);

/// The brightest value of each pixel of frames [begin, end).
Picture project_frames(FrameReader& reader, std::int64_t begin, std::int64_t end, const Executor& executor);

/// A picture that a browser still shows.
inline constexpr std::int64_t kLargestPicture = 400'000'000;

}  // namespace spim::cli
