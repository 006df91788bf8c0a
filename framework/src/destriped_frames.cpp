#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scratch_pool.hpp"
#include "spim/error.hpp"
#include "spim/host/frame_source.hpp"

namespace spim {

namespace {

/// Side of the blocks in which samples change between the two layouts.
constexpr std::int64_t kBlock = 32;

/// Calls body(y, z) for all samples in blocks that keep both layouts in the cache.
template <class Body>
void for_blocks(std::int64_t rows, std::int64_t columns, const Body& body) {
  for (std::int64_t y0 = 0; y0 < rows; y0 += kBlock)
    for (std::int64_t z0 = 0; z0 < columns; z0 += kBlock)
      for (std::int64_t y = y0; y < std::min(y0 + kBlock, rows); ++y)
        for (std::int64_t z = z0; z < std::min(z0 + kBlock, columns); ++z) body(y, z);
}

class DestripedFrames final : public FrameSource {
 public:
  DestripedFrames(std::unique_ptr<FrameSource> frames, std::shared_ptr<Destriper> destriper)
      : frames_(std::move(frames)),
        destriper_(std::move(destriper)),
        shape_(frames_->shape()),
        stride_((shape_.columns + 15) / 16 * 16),
        raw_(static_cast<std::size_t>(ceil_div(shape_.rows, BlockedView::kRows) * BlockedView::kRows *
                                      shape_.columns)),
        corrected_(static_cast<std::size_t>(shape_.rows * stride_)) {}

  StackShape shape() const override { return shape_; }
  PixelType type() const override { return PixelType::u16; }

  void load(std::int64_t frame, FrameCorner first, BlockedView out) override {
    const detail::ScratchPool<float>::Lease corrected(corrected_);
    const ImageView<float> image{corrected.data(), shape_.rows, shape_.columns, stride_};
    load_raw(frame, image);
    destriper_->apply(image);

    bool all_numbers = true;
    for_blocks(out.y_count, out.z_count, [&](std::int64_t y, std::int64_t z) {
      const float value = image.row(first.y + y)[first.z + z];
      if (std::isnan(value)) all_numbers = false;
      // In this order a value that is not a number becomes 0, which the conversion can stand.
      out.at(z, y) = static_cast<std::uint16_t>(std::nearbyint(std::min(65535.0F, std::max(0.0F, value))));
    });
    if (!all_numbers)
      throw Error(
          fmt::format("destriping of frame {} gave samples that are not numbers; check the settings of "
                      "the destriping method",
                      frame));
  }

 private:
  void load_raw(std::int64_t frame, ImageView<float> image) {
    const detail::ScratchPool<std::uint16_t>::Lease raw(raw_);
    const BlockedView blocks{raw.data(), shape_.columns, shape_.rows, shape_.columns * BlockedView::kRows};
    frames_->load(frame, {}, blocks);
    for_blocks(shape_.rows, shape_.columns, [&](std::int64_t y, std::int64_t z) {
      image.row(y)[z] = static_cast<float>(blocks.at(z, y));
    });
  }

  std::unique_ptr<FrameSource> frames_;
  std::shared_ptr<Destriper> destriper_;
  StackShape shape_;
  std::int64_t stride_;
  detail::ScratchPool<std::uint16_t> raw_;
  detail::ScratchPool<float> corrected_;
};

}  // namespace

std::unique_ptr<FrameSource> destriped_frames(std::unique_ptr<FrameSource> frames,
                                              std::shared_ptr<Destriper> destriper) {
  return std::make_unique<DestripedFrames>(std::move(frames), std::move(destriper));
}

}  // namespace spim
