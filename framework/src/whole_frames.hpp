#pragma once
/// Whole frames in memory: from the layout of the deskew to rows of float32 and back.

#include <cstdint>

#include "scratch_pool.hpp"
#include "spim/host/frame_source.hpp"

namespace spim::detail {

/// Rows [first, first + out.rows) of y of `blocks`, as rows of an image; first begins a block, and the rows
/// are those of one block at most.
void copy_block(BlockedView blocks, std::int64_t first, ImageView<std::uint16_t> out);

/// Buffers for frames of one shape, as many as there are threads inside at the same time. [any thread]
class WholeFrames {
 public:
  WholeFrames(std::int64_t rows, std::int64_t columns);

  using Samples = ScratchPool<float>::Lease;
  /// A frame until the end of the scope; rows are 64-byte aligned.
  Samples lease() { return Samples(corrected_); }
  ImageView<float> view(const Samples& samples) const { return {samples.data(), rows_, columns_, stride_}; }

  /// Bytes of all buffers of one thread.
  std::int64_t bytes() const noexcept;

  /// Loads all of `frame`.
  void load(FrameSource& frames, std::int64_t frame, ImageView<float> image);
  /// Rounds what `out` wants of `image`, clipped to the range of uint16.
  void store(ImageView<const float> image, FrameCorner first, BlockedView out);

 private:
  std::int64_t rows_, columns_;
  std::int64_t stride_;  ///< samples between rows
  ScratchPool<std::uint16_t> raw_, piece_;
  ScratchPool<float> corrected_;
};

}  // namespace spim::detail
