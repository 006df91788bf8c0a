#pragma once
/// The share of the foreground at each pixel.

#include <array>
#include <cstdint>

#include "buffer.hpp"
#include "spim/image.hpp"

namespace spim::wavelet {

/// How the foreground is told from the background.
struct MaskSpec {
  float threshold = 0;  ///< grey level where the share is one half
  float crossover = 0;  ///< grey levels over which it changes
};

/// The rows of sigmoid((image − threshold) / crossover), smoothed by a Gaussian of one pixel that is cut off
/// at 4 and mirrored at the edges, computed as they are asked for. [one thread]
class MaskRows {
 public:
  /// For images of the shape of a frame, with an odd last row or column repeated to make it even.
  MaskRows(std::int64_t rows, std::int64_t columns);
  void start(MaskSpec spec) noexcept;
  /// Row y, valid until the next call. Rows are asked for in order; the image may have been changed in the
  /// rows before.
  const float* row(ImageView<const float> frame, std::int64_t y);

 private:
  static constexpr std::int64_t kRadius = 4;
  static constexpr std::int64_t kRing = 16;

  void prepare(ImageView<const float> frame);

  std::int64_t rows_, columns_, ready_ = 0;
  MaskSpec spec_;
  std::array<float, kRadius + 1> gaussian_{};
  Buffer line_, result_;
  Plane ring_;
};

}  // namespace spim::wavelet
