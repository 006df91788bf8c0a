#pragma once
/// Oriented, corrected frames, loaded in the layout that the deskew wants.

#include <cstdint>
#include <memory>

#include "spim/destriper.hpp"
#include "spim/frame_reader.hpp"
#include "spim/host/oblique_geometry.hpp"

namespace spim {

/// How a raw frame becomes a frame: first `rotate_90` quarter turns counter-clockwise (numpy.rot90), then the
/// rows are reversed if `flip_ud` (numpy.flipud).
struct Orientation {
  int rotate_90 = 0;  ///< 0 … 3
  bool flip_ud = false;
};

/// Frames of one stack, in the order and orientation of the volume.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual StackShape shape() const = 0;
  virtual PixelType type() const = 0;

  /// Loads columns [first_z, first_z + out.rows) of `frame` transposed: out row = column of the oriented
  /// frame (z), out column = its row (y). out.columns is shape().rows. [any thread]
  virtual void load(std::int64_t frame, std::int64_t first_z, ImageView<std::uint16_t> out) = 0;
};

/// The part of a stack that a user asked for.
struct FrameRange {
  std::int64_t start = 0;
  std::int64_t stop = 0;  ///< one past the last; 0 means to the end
};

/// Raw frames of `reader` in `orientation`. Throws UsageError when the range is empty or outside the stack.
std::unique_ptr<FrameSource> oriented_frames(std::shared_ptr<FrameReader> reader, Orientation orientation,
                                             FrameRange range);

/// The same frames with `destriper` applied to each whole oriented frame as float32, rounded once to nearest
/// and clipped to the range of uint16.
std::unique_ptr<FrameSource> destriped_frames(std::unique_ptr<FrameSource> frames,
                                              std::shared_ptr<Destriper> destriper);

}  // namespace spim
