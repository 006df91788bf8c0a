#pragma once
/// A stored volume seen from three sides.

#include <array>
#include <cstdint>

#include "picture.hpp"
#include "spim/host/executor.hpp"
#include "spim/volume_reader.hpp"

namespace spim::cli {

/// Maximum projections, of one level.
struct Projections {
  Picture xy;              ///< rows y, columns x: seen along z
  Picture xz;              ///< rows z, columns x: seen along y
  Picture zy;              ///< rows y, columns z: seen along x
  Contrast contrast;       ///< that suits all three
  std::int32_t level = 0;  ///< of the volume that was looked at
  std::int64_t every = 1;  ///< of so many chunks one was read
  bool empty = false;      ///< no voxel above 0
};

/// Of the finest level that is small enough to be read in about a second. Where even the coarsest one is
/// larger, of some of its chunks, spread so that each picture is covered. Pictures are at most 1,400 samples
/// long on a side: the maxima of groups of voxels. Throws what the reader throws.
Projections project(VolumeReader& reader, const Executor& executor);

}  // namespace spim::cli
