#pragma once
/// Frames that the camera counted but did not deliver.

#include <cstdint>
#include <vector>

#include "spim/frame_reader.hpp"

namespace spim::cli {

struct FrameGap {
  std::int64_t frame = 0;    ///< first frame behind the gap
  std::int64_t dropped = 0;  ///< how many are missing
};

/// All gaps in the camera's counter, found by bisection: a stack without gaps costs two reads. Empty when the
/// file has no counters.
std::vector<FrameGap> frame_gaps(FrameReader& reader);

}  // namespace spim::cli
