#pragma once
/// The value that a percentile of the bright samples of every pixel of a camera stays below.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "spim/frame_reader.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/owned_image.hpp"
#include "spim/host/progress.hpp"

namespace spim {

/// One camera file; `frames` may be used from any thread.
struct CameraStack {
  std::string name;  ///< for messages
  std::shared_ptr<FrameReader> frames;
};

/// A frame of one of several stacks.
struct SampledFrame {
  std::size_t stack = 0;
  std::int64_t frame = 0;
  friend bool operator==(const SampledFrame&, const SampledFrame&) = default;
};

/// `wanted` of all frames, each set of them as probable as any other, in order; all of them when `wanted` is
/// 0 or not less than their number. Only `seed` decides which.
std::vector<SampledFrame> sample_frames(std::span<const CameraStack> stacks, std::int64_t wanted,
                                        std::uint64_t seed);

struct PercentileSettings {
  double percentile = 95;               ///< 0 … 100
  std::int64_t bins = 1024;             ///< of the histogram of a pixel
  std::int64_t values_per_bin = 4;      ///< grey levels; those beyond the last bin are counted in it
  std::int64_t background = 150;        ///< samples below are not counted
  std::int64_t memory_bytes = 1 << 30;  ///< ceiling for everything that is kept while frames are read
};

/// How the samples of a pixel are kept until they are all there.
enum class SampleStore {
  values,     ///< as they are: two bytes per frame
  histograms  ///< counted: for more frames than two bytes each would take less room
};

/// What percentile_image() is going to do. Every row of every frame is read once, whatever the memory.
struct PercentilePlan {
  SampleStore store = SampleStore::values;
  std::int64_t band_rows = 0;     ///< rows of all frames that are worked on at a time
  std::int64_t memory_bytes = 0;  ///< peak of what is kept
};

/// Throws UsageError for impossible settings, and Error when there is no frame, when stacks differ in shape,
/// or when the memory does not suffice for one row.
PercentilePlan plan_percentile(std::span<const CameraStack> stacks, std::int64_t sampled,
                               const PercentileSettings& settings, const Executor& executor);

/// Of the frames as stored, before any rotation.
struct PercentileImage {
  /// With the histogram of the samples of a pixel that are not below the background, and its running sum
  /// c(0), c(1), …: the first bin whose c(bin) is nearest to percentile / 100 · c(last); 0 without samples.
  OwnedImage<std::uint16_t> bins;
  /// How often each grey level was met among all samples, or among every 61st of many.
  std::vector<std::uint64_t> levels;
};

/// Depends neither on the number of workers nor on the memory. Throws as plan_percentile() does, and what the
/// readers throw.
PercentileImage percentile_image(std::span<const CameraStack> stacks, std::span<const SampledFrame> sample,
                                 const PercentileSettings& settings, const Executor& executor,
                                 Progress& progress);

}  // namespace spim
