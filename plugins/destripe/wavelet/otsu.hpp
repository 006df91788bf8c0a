#pragma once
/// The threshold between dark and bright pixels of a frame.

#include <cstdint>
#include <vector>

#include "spim/image.hpp"

namespace spim::wavelet {

/// Counts of grey levels 0 … 65535. Kept by the caller, so that frames after the first allocate nothing.
struct Histogram {
  std::vector<std::uint32_t> counts;
  std::vector<std::int32_t> levels;  ///< of one row
};

/// Threshold after N. Otsu (IEEE Trans. SMC 9, 1979): the grey level that, with all pixels up to it on one
/// side, makes the variance between both sides largest; the lowest of equals, and the first pixel's value if
/// all are on one level. Pixels count at their nearest whole grey level in 0 … 65535, so frames of whole
/// numbers are counted exactly.
double otsu_threshold(ImageView<const float> frame, Histogram& histogram);

}  // namespace spim::wavelet
