#pragma once
/// Grey levels of a part of a file, enough to judge it.

#include <cstdint>
#include <span>
#include <vector>

#include "spim/frame_reader.hpp"
#include "spim/volume_reader.hpp"

namespace spim::cli {

/// How often each grey level occurs.
class Histogram {
 public:
  void add(std::span<const std::uint16_t> samples) noexcept;

  std::int64_t count() const noexcept;
  std::int64_t zeros() const noexcept { return bins_[0]; }
  std::uint16_t minimum() const noexcept;
  std::uint16_t maximum() const noexcept;
  double mean() const noexcept;
  /// The grey level below or at which the fraction `f` of the samples above 0 lie; 0 when all are 0.
  std::uint16_t percentile_above_zero(double f) const noexcept;

 private:
  std::vector<std::int64_t> bins_ = std::vector<std::int64_t>(65536);
};

/// Frames spread evenly over a stack.
Histogram sample_frames(FrameReader& reader);
/// Chunks spread evenly over level 0 of a volume.
Histogram sample_chunks(VolumeReader& reader);

}  // namespace spim::cli
