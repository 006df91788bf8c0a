#pragma once
/// When a camera took a frame.

#include <cstdint>

namespace spim {

/// The camera's own record of one frame.
struct FrameStamp {
  bool has_counter = false;
  bool has_time = false;
  std::uint32_t counter = 0;      ///< runs on by one per exposure, modulo 2^32; a gap is a dropped frame
  std::int64_t microseconds = 0;  ///< since 1970-01-01 00:00 UTC
};

}  // namespace spim
