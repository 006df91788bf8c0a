#pragma once
/// Oriented, corrected frames, loaded in the layout that the deskew wants.

#include <cstdint>
#include <memory>

#include "spim/frame_reader.hpp"
#include "spim/host/frame_corrector.hpp"
#include "spim/host/load_cost.hpp"
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

/// Part of a frame in memory, as the deskew wants it: rows z of samples y, cut into blocks of kRows samples
/// of y, each of which holds its samples for all z one after the other. A chunk then takes one contiguous
/// piece of each frame; whole rows z would cost it a memory page each. Owned by somebody else.
struct BlockedView {
  static constexpr std::int64_t kRows = 64;  ///< a common chunk size: two cache lines

  std::uint16_t* data = nullptr;
  std::int64_t z_count = 0;
  std::int64_t y_count = 0;
  std::int64_t block_stride = 0;  ///< samples between blocks, ≥ z_count·kRows

  /// Samples [block·kRows, (block+1)·kRows) of y at z; the last block may have fewer.
  std::uint16_t* row(std::int64_t z, std::int64_t block) const noexcept {
    return data + block * block_stride + z * kRows;
  }
  std::uint16_t& at(std::int64_t z, std::int64_t y) const noexcept { return row(z, y / kRows)[y % kRows]; }
};

/// Frames of one stack, in the order and orientation of the volume.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual StackShape shape() const = 0;
  virtual PixelType type() const = 0;
  virtual LoadCost cost() const { return {}; }

  /// Loads part of `frame`: out.at(z, y) = column first.z + z, row first.y + y of the oriented frame. The
  /// part lies inside shape(). Camera rows are read whole: with an odd number of quarter turns a part in z
  /// reads only its share of the file, with an even number a part in y does. [any thread]
  virtual void load(std::int64_t frame, FrameCorner first, BlockedView out) = 0;

  /// The same part as rows of an image: out.row(i)[j] = row first.y + i, column first.z + j. The default
  /// passes through a BlockedView. [any thread]
  virtual void load_rows(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out);
};

/// Loads all of `frame` as an image: rows y, columns x_cam, of the shape of the source. [any thread]
inline void load_image(FrameSource& source, std::int64_t frame, ImageView<std::uint16_t> out) {
  source.load_rows(frame, {}, out);
}

/// The part of a stack that a user asked for.
struct FrameRange {
  std::int64_t start = 0;
  std::int64_t stop = 0;  ///< one past the last; 0 means to the end
};

/// Raw frames of `reader` in `orientation`. `reader` may be used from any thread. Throws UsageError when the
/// range is empty or outside the stack or the orientation does not exist, and Error when the stack is empty.
std::unique_ptr<FrameSource> oriented_frames(std::shared_ptr<FrameReader> reader, Orientation orientation,
                                             FrameRange range);

/// The same frames corrected by `corrector`, which is for their shape: each step once, as float32, rounded
/// once to nearest (ties to even) and clipped to the range of uint16, which is also their type. Each load()
/// corrects a whole frame, whatever part of it is wanted; what is clipped is added to `tally` (may be null)
/// once per frame, however often it is loaded. Returns `frames` themselves when there is nothing to do.
/// load() throws Error naming the frame when it cannot be corrected or a corrected sample is not a number.
std::unique_ptr<FrameSource> corrected_frames(std::unique_ptr<FrameSource> frames,
                                              std::shared_ptr<FrameCorrector> corrector,
                                              std::shared_ptr<ClipTally> tally);

}  // namespace spim
