#pragma once
/// What getting at frames costs, for the planning of a sweep.

#include <cstdint>

namespace spim {

/// What a load takes beside the bytes that it delivers.
struct LoadCost {
  bool whole_frame = false;        ///< as much work for a part of a frame as for all of it
  std::int64_t scratch_bytes = 0;  ///< memory of each thread that loads
};

}  // namespace spim
