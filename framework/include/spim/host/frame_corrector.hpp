#pragma once
/// What happens to a frame between its orientation and the volume.

#include <atomic>
#include <cstdint>
#include <memory>

#include "spim/destriper.hpp"
#include "spim/host/flat_field.hpp"
#include "spim/image.hpp"

namespace spim {

namespace detail {
class WholeFrames;
}

/// Enlarges frames so that they match those of another camera: a cubic spline on the grid that keeps the
/// corners (as scipy.ndimage.zoom), of which as many samples as the frame has are kept around the centre.
struct Magnification {
  double factor = 1;     ///< ≥ 1; 1 changes nothing
  double center_x = -1;  ///< column of the oriented frame around which is cut; negative: the middle
  double center_y = -1;  ///< its row
};

/// The steps; those that are left at their defaults are not done.
struct FrameCorrections {
  Magnification magnification = {};
  float dark = 0;                              ///< grey levels of no light
  std::shared_ptr<const FlatField> flat = {};  ///< of the oriented, magnified frame
  std::shared_ptr<Destriper> destriper = {};   ///< may be used from any thread

  bool none() const noexcept {
    return magnification.factor == 1 && dark == 0 && flat == nullptr && destriper == nullptr;
  }
};

/// Samples that a type does not hold. A sample that is rounded to the nearest end of the range is none.
struct ClippedSamples {
  std::int64_t below = 0;
  std::int64_t above = 0;
  ClippedSamples& operator+=(const ClippedSamples& other) noexcept {
    below += other.below;
    above += other.above;
    return *this;
  }
};

/// Adds up over the frames of any number of stacks. [any thread]
class ClipTally {
 public:
  void add(const ClippedSamples& clipped, std::int64_t samples) noexcept {
    below_ += clipped.below;
    above_ += clipped.above;
    samples_ += samples;
  }
  ClippedSamples clipped() const noexcept { return {below_, above_}; }
  std::int64_t samples() const noexcept { return samples_; }

 private:
  std::atomic<std::int64_t> below_{0}, above_{0}, samples_{0};
};

/// Corrects frames of one shape: magnify, subtract dark, destripe, divide by the flat; each once. Stripes
/// multiply light and not the camera's offset, so that dark comes before; what was measured is in
/// docs/correction.md. [any thread]
class FrameCorrector {
 public:
  /// Throws Error when the flat has another shape than the frames, UsageError when the magnification is below
  /// 1 or when what it keeps is not inside the enlarged frame.
  FrameCorrector(FrameCorrections corrections, std::int64_t rows, std::int64_t columns);
  ~FrameCorrector();
  FrameCorrector(const FrameCorrector&) = delete;
  FrameCorrector& operator=(const FrameCorrector&) = delete;

  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return columns_; }
  bool does_nothing() const noexcept { return corrections_.none(); }
  /// Bytes that one worker needs to load, correct and round a frame, those of the destriper included (as many
  /// as it may take).
  std::int64_t worker_bytes() const noexcept;
  /// For frames on their way: shared by all stacks that this corrects, so that memory does not grow with
  /// their number.
  detail::WholeFrames& buffers() noexcept { return *buffers_; }

  /// Replaces `frame` (oriented, grey levels) by the corrected one, not rounded and not clipped. Throws what
  /// the destriper throws.
  void apply(ImageView<float> frame);
  /// The same for whole grey levels: rounded once and clipped; returns how many samples were. Throws Error
  /// when a corrected sample is not a number.
  ClippedSamples apply(ImageView<std::uint16_t> frame);

 private:
  class Zoom;

  FrameCorrections corrections_;
  std::int64_t rows_, columns_;
  std::unique_ptr<Zoom> zoom_;
  std::unique_ptr<detail::WholeFrames> buffers_;
};

/// How many samples do not fit into uint16. Throws Error when one is not a number.
ClippedSamples count_clipped(ImageView<const float> frame);

/// Rounds `count` samples to nearest (ties to even) and clips them to the range of uint16. They are numbers.
void round_samples(const float* from, std::int64_t count, std::uint16_t* to);

}  // namespace spim
