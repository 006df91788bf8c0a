#pragma once
/// The range of grey values that a viewer should spread over the screen.

#include <cstdint>
#include <mutex>
#include <vector>

#include "spim/image.hpp"

namespace spim::zarr {

/// A range of grey values, start < end.
struct GreyRange {
  std::int64_t start = 0;
  std::int64_t end = 1;
};

/// A histogram of samples of the chunks that it is shown. The samples of a chunk do not depend on when or by
/// whom it is shown, so that the result is the same whatever the number of threads. [any thread]
class DisplayWindow {
 public:
  DisplayWindow();
  void sample(VolumeView<const std::uint16_t> voxels);
  /// From the 1st to the 99.9th percentile of the voxels that are not zero (empty corners would drown
  /// everything), at least one grey value wide, inside 0 … `largest`.
  GreyRange range(std::int64_t largest) const;

 private:
  std::mutex mutex_;
  std::vector<std::uint64_t> histogram_;
};

}  // namespace spim::zarr
