#pragma once
/// Enlargement of an image by cubic splines.

#include <array>
#include <cstdint>
#include <vector>

#include "spim/image.hpp"

namespace spim::detail {

/// One axis: which samples of a larger grid are wanted.
struct ZoomAxis {
  std::int64_t size = 0;        ///< samples of the image, and of the result
  std::int64_t zoomed = 0;      ///< samples of the whole enlarged image
  std::int64_t first_kept = 0;  ///< of those
};

/// Interpolates an image with the cubic B-spline through its samples (Unser, "Splines: a perfect fit",
/// 1999: prefilter with one pole, mirrored at the first and last sample), at positions that put the first
/// and last sample of the enlarged image onto those of the image. All float32. [any thread]
class SplineZoom {
 public:
  SplineZoom(const ZoomAxis& rows, const ZoomAxis& columns);

  /// Floats of scratch that apply() needs.
  std::int64_t scratch_count() const noexcept;

  /// Replaces `image` by the part of its enlargement that is kept; the shape stays.
  void apply(ImageView<float> image, float* scratch) const;

 private:
  /// The four coefficients that a sample of the result is made of.
  struct Taps {
    std::array<std::int32_t, 4> index;
    std::array<float, 4> weight;
  };

  static std::vector<Taps> taps_of(const ZoomAxis& axis);

  std::vector<Taps> row_taps_, column_taps_;
};

}  // namespace spim::detail
