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

/// First sample of a part of a frame.
struct FrameCorner {
  std::int64_t z = 0;  ///< column of the oriented frame
  std::int64_t y = 0;  ///< row of the oriented frame
};

/// Frames of one stack, in the order and orientation of the volume.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual StackShape shape() const = 0;
  virtual PixelType type() const = 0;

  /// Loads part of `frame` transposed: out row i = column first.z + i of the oriented frame (z), out column j
  /// = its row first.y + j. The part lies inside shape(). Camera rows are read whole: with an odd number of
  /// quarter turns a part in z reads only its share of the file, with an even number a part in y does. [any
  /// thread]
  virtual void load(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) = 0;
};

/// The part of a stack that a user asked for.
struct FrameRange {
  std::int64_t start = 0;
  std::int64_t stop = 0;  ///< one past the last; 0 means to the end
};

/// Raw frames of `reader` in `orientation`. `reader` may be used from any thread. Throws UsageError when the
/// range is empty or outside the stack or the orientation does not exist, and Error when the stack is empty.
std::unique_ptr<FrameSource> oriented_frames(std::shared_ptr<FrameReader> reader, Orientation orientation,
                                             FrameRange range);

/// The same frames with `destriper` applied to each whole oriented frame as float32, rounded once to nearest
/// (ties to even) and clipped to the range of uint16, which is also their type. Each load() corrects a whole
/// frame, whatever part of it is wanted. Throws Error when a corrected sample is not a number. `destriper`
/// may be used from any thread.
std::unique_ptr<FrameSource> destriped_frames(std::unique_ptr<FrameSource> frames,
                                              std::shared_ptr<Destriper> destriper);

}  // namespace spim
