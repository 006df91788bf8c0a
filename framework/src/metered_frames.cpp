#include "spim/host/metered_frames.hpp"

#include <utility>

namespace spim {

namespace {

class CountedReader final : public FrameReader {
 public:
  CountedReader(std::shared_ptr<FrameReader> reader, StageMeter& meter)
      : reader_(std::move(reader)), meter_(meter), sample_bytes_(bytes_of(reader_->info().type)) {}

  StackInfo info() const override { return reader_->info(); }
  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override {
    reader_->read(frame, first_row, out);
    meter_.add_bytes(Stage::read, out.rows * out.columns * sample_bytes_);
  }
  FrameStamp stamp(std::int64_t frame) override { return reader_->stamp(frame); }
  void describe(MetadataSink& sink) override { reader_->describe(sink); }

 private:
  std::shared_ptr<FrameReader> reader_;
  StageMeter& meter_;
  std::int64_t sample_bytes_;
};

class MeteredFrames final : public FrameSource {
 public:
  MeteredFrames(std::unique_ptr<FrameSource> frames, StageMeter& meter, Stage stage)
      : frames_(std::move(frames)), meter_(meter), stage_(stage) {
    const StackShape shape = frames_->shape();
    if (stage == Stage::correct) frame_bytes_ = shape.rows * shape.columns * bytes_of(frames_->type());
  }

  StackShape shape() const override { return frames_->shape(); }
  PixelType type() const override { return frames_->type(); }
  LoadCost cost() const override { return frames_->cost(); }

  void load(std::int64_t frame, FrameCorner first, BlockedView out) override {
    const StageTimer timer(&meter_, stage_, frame_bytes_);
    frames_->load(frame, first, out);
  }
  void load_rows(std::int64_t frame, FrameCorner first, ImageView<std::uint16_t> out) override {
    const StageTimer timer(&meter_, stage_, frame_bytes_);
    frames_->load_rows(frame, first, out);
  }

 private:
  std::unique_ptr<FrameSource> frames_;
  StageMeter& meter_;
  Stage stage_;
  std::int64_t frame_bytes_ = 0;
};

}  // namespace

std::shared_ptr<FrameReader> counted_reader(std::shared_ptr<FrameReader> reader, StageMeter& meter) {
  return std::make_shared<CountedReader>(std::move(reader), meter);
}

std::unique_ptr<FrameSource> metered_frames(std::unique_ptr<FrameSource> frames, StageMeter& meter,
                                            Stage stage) {
  return std::make_unique<MeteredFrames>(std::move(frames), meter, stage);
}

}  // namespace spim
