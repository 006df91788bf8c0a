#include "spim/host/frame_corrector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scratch_pool.hpp"
#include "spim/clones.hpp"
#include "spim/error.hpp"
#include "spline_zoom.hpp"
#include "whole_frames.hpp"

namespace spim {

namespace {

/// What a destriper may need, in frames of float32.
constexpr std::int64_t kDestriperFrames = 6;

SPIM_CLONES void subtract(float* samples, float dark, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) samples[i] -= dark;
}

SPIM_CLONES void divide(float* samples, const float* flat, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) samples[i] /= flat[i];
}

/// Counts of one row; rows are shorter than 2^31 samples.
struct RowCounts {
  std::int32_t below = 0, above = 0, numbers = 0;
};

SPIM_CLONES RowCounts counts_of(const float* samples, std::int64_t count) {
  std::int32_t below = 0, above = 0, numbers = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    below += samples[i] < -0.5F;
    above += samples[i] >= 65535.5F;
    numbers += samples[i] == samples[i];
  }
  return {below, above, numbers};
}

SPIM_CLONES void round_row(const float* from, std::int64_t count, std::uint16_t* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = std::min(65535.0F, std::max(0.0F, from[i]));
    to[i] = static_cast<std::uint16_t>(static_cast<std::int32_t>(std::nearbyint(value)));
  }
}

/// One axis of what the magnification keeps.
detail::ZoomAxis axis_of(const char* name, std::int64_t size, double factor, double center) {
  const double middle = center < 0 ? static_cast<double>(size) / 2 : center;
  const auto zoomed = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(size) * factor));
  const std::int64_t first = static_cast<std::int64_t>(middle * factor) - size / 2;
  if (first < 0 || first + size > zoomed) {
    const double low = std::ceil(static_cast<double>(size / 2) / factor);
    const double high = std::floor(static_cast<double>(zoomed - size + size / 2) / factor);
    throw UsageError(fmt::format(
        "a magnification of {} around {} {} of {} leaves the frame; give a --magnification-plane-center from "
        "{:.0f} to {:.0f} there",
        factor, name, middle, size, low, high));
  }
  return {size, zoomed, first};
}

}  // namespace

class FrameCorrector::Zoom {
 public:
  Zoom(const detail::ZoomAxis& rows, const detail::ZoomAxis& columns)
      : spline_(rows, columns), scratch_(static_cast<std::size_t>(spline_.scratch_count())) {}

  std::int64_t bytes() const noexcept {
    return spline_.scratch_count() * static_cast<std::int64_t>(sizeof(float));
  }
  void apply(ImageView<float> frame) {
    const detail::ScratchPool<float>::Lease scratch(scratch_);
    spline_.apply(frame, scratch.data());
  }

 private:
  detail::SplineZoom spline_;
  detail::ScratchPool<float> scratch_;
};

FrameCorrector::FrameCorrector(FrameCorrections corrections, std::int64_t rows, std::int64_t columns)
    : corrections_(std::move(corrections)),
      rows_(rows),
      columns_(columns),
      buffers_(std::make_unique<detail::WholeFrames>(rows, columns)) {
  const Magnification& zoom = corrections_.magnification;
  if (!(zoom.factor >= 1) || !std::isfinite(zoom.factor))
    throw UsageError(fmt::format(
        "a magnification of {} is less than 1; magnify the frames of the other camera", zoom.factor));
  if (!std::isfinite(corrections_.dark))
    throw UsageError(fmt::format("a dark level of {} is not a number", corrections_.dark));
  if (zoom.factor > 1)
    zoom_ = std::make_unique<Zoom>(axis_of("row", rows, zoom.factor, zoom.center_y),
                                   axis_of("column", columns, zoom.factor, zoom.center_x));
  const FlatField* const flat = corrections_.flat.get();
  if (flat != nullptr && (flat->rows() != rows || flat->columns() != columns))
    throw Error(
        fmt::format("{}: has {} rows x {} columns but oriented frames have {} x {}; compute it with the same "
                    "--rotate-90 and --flip-ud from the same camera",
                    flat->name(), flat->rows(), flat->columns(), rows, columns));
}

FrameCorrector::~FrameCorrector() = default;

std::int64_t FrameCorrector::worker_bytes() const noexcept {
  const std::int64_t frame = rows_ * columns_ * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t destriper = corrections_.destriper ? kDestriperFrames * frame : 0;
  return buffers_->bytes() + std::max(destriper, zoom_ ? zoom_->bytes() : 0);
}

void FrameCorrector::apply(ImageView<float> frame) {
  if (frame.rows != rows_ || frame.columns != columns_)
    throw Error(fmt::format("a frame of {} rows x {} columns cannot be corrected as one of {} x {}",
                            frame.rows, frame.columns, rows_, columns_));
  if (zoom_) zoom_->apply(frame);
  if (corrections_.dark != 0)
    for (std::int64_t y = 0; y < rows_; ++y) subtract(frame.row(y), corrections_.dark, columns_);
  if (corrections_.destriper) corrections_.destriper->apply(frame);
  if (corrections_.flat)
    for (std::int64_t y = 0; y < rows_; ++y) divide(frame.row(y), corrections_.flat->row(y), columns_);
}

ClippedSamples FrameCorrector::apply(ImageView<std::uint16_t> frame) {
  const auto samples = buffers_->lease();
  const ImageView<float> image = buffers_->view(samples);
  if (frame.rows == rows_ && frame.columns == columns_)
    for (std::int64_t y = 0; y < rows_; ++y) std::copy_n(frame.row(y), columns_, image.row(y));
  apply(ImageView<float>{image.data, frame.rows, frame.columns, image.row_stride});
  const ClippedSamples clipped = count_clipped({image.data, rows_, columns_, image.row_stride});
  for (std::int64_t y = 0; y < rows_; ++y) round_row(image.row(y), columns_, frame.row(y));
  return clipped;
}

ClippedSamples count_clipped(ImageView<const float> frame) {
  ClippedSamples clipped;
  std::int64_t numbers = 0;
  for (std::int64_t y = 0; y < frame.rows; ++y) {
    const RowCounts row = counts_of(frame.row(y), frame.columns);
    clipped += {row.below, row.above};
    numbers += row.numbers;
  }
  if (numbers != frame.rows * frame.columns)
    throw Error(
        "its correction gave samples that are not numbers; check the options of the destriping method");
  return clipped;
}

void round_samples(const float* from, std::int64_t count, std::uint16_t* to) {
  round_row(from, count, to);
}

}  // namespace spim
