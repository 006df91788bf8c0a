#include <fmt/format.h>

#include <atomic>
#include <vector>

#include "spim/error.hpp"
#include "spim/host/executor.hpp"
#include "spim/host/frame_corrector.hpp"
#include "spim/host/frame_source.hpp"
#include "whole_frames.hpp"

namespace spim {

namespace {

class CorrectedFrames final : public FrameSource {
 public:
  CorrectedFrames(std::unique_ptr<FrameSource> frames, std::shared_ptr<FrameCorrector> corrector,
                  std::shared_ptr<ClipTally> tally)
      : frames_(std::move(frames)),
        corrector_(std::move(corrector)),
        tally_(std::move(tally)),
        shape_(frames_->shape()),
        counted_(static_cast<std::size_t>(shape_.frames)) {
    if (shape_.rows != corrector_->rows() || shape_.columns != corrector_->columns())
      throw Error(fmt::format("frames of {} rows x {} columns cannot be corrected as those of {} x {}",
                              shape_.rows, shape_.columns, corrector_->rows(), corrector_->columns()));
  }

  StackShape shape() const override { return shape_; }
  PixelType type() const override { return PixelType::u16; }
  LoadCost cost() const override { return {true, corrector_->worker_bytes()}; }

  void load(std::int64_t frame, FrameCorner first, BlockedView out) override {
    detail::WholeFrames& buffers = corrector_->buffers();
    const auto samples = buffers.lease();
    const ImageView<float> image = buffers.view(samples);
    correct(frame, image);
    buffers.store({image.data, image.rows, image.columns, image.row_stride}, first, out);
  }

  void load_rows(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) override {
    detail::WholeFrames& buffers = corrector_->buffers();
    const auto samples = buffers.lease();
    const ImageView<float> image = buffers.view(samples);
    correct(frame, image);
    for (std::int64_t i = 0; i < out.rows; ++i)
      round_samples(image.row(first.y + i) + first.z, out.columns, out.row(i));
  }

 private:
  void correct(std::int64_t frame, ImageView<float> image) {
    corrector_->buffers().load(*frames_, frame, image);
    ClippedSamples clipped;
    try {
      corrector_->apply(image);
      clipped = count_clipped({image.data, image.rows, image.columns, image.row_stride});
    } catch (const UsageError&) {
      throw;
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      throw Error(fmt::format("frame {}: {}", frame, error.what()));
    }
    if (tally_ && !counted_[static_cast<std::size_t>(frame)].exchange(true))
      tally_->add(clipped, shape_.rows * shape_.columns);
  }

  std::unique_ptr<FrameSource> frames_;
  std::shared_ptr<FrameCorrector> corrector_;
  std::shared_ptr<ClipTally> tally_;
  StackShape shape_;
  std::vector<std::atomic<bool>> counted_;  ///< frames that are in the tally
};

}  // namespace

std::unique_ptr<FrameSource> corrected_frames(std::unique_ptr<FrameSource> frames,
                                              std::shared_ptr<FrameCorrector> corrector,
                                              std::shared_ptr<ClipTally> tally) {
  if (corrector->does_nothing()) return frames;
  return std::make_unique<CorrectedFrames>(std::move(frames), std::move(corrector), std::move(tally));
}

}  // namespace spim
