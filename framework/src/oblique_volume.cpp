#include "spim/host/oblique_volume.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "deskew.hpp"
#include "frame_window.hpp"

namespace spim {

namespace {

/// Ceiling for the frames that one read() loads for itself, unless a single plane needs more: what malloc
/// keeps for the next read (cli/main.cpp), instead of pages that are cleared anew.
constexpr std::int64_t kDirectBytes = std::int64_t{12} << 20;

constexpr std::int64_t kBlock = BlockedView::kRows;

class ObliqueVolume final : public VolumeSource {
 public:
  ObliqueVolume(std::unique_ptr<FrameSource> frames, const ScanSettings& settings)
      : frames_(std::move(frames)), geometry_(settings, frames_->shape()), window_(*frames_) {}

  Index3 shape() const override { return geometry_.shape(); }
  Vec3 voxel_um() const override { return geometry_.voxel_um(); }
  PixelType type() const override { return frames_->type(); }
  ValidRegion region() const override { return geometry_.region(); }
  LoadCost cost() const override { return frames_->cost(); }
  std::int64_t whole_frames_in(const Box& lane) const override {
    return frames_->cost().whole_frame ? part_of(lane).frames.size() : 0;
  }

  std::int64_t memory_for(const Box& lane, std::span<const Box> boxes) const override {
    return detail::FrameWindow::bytes(part_for(lane, boxes));
  }

  std::int64_t plan_loads(const Box& lane, std::span<const Box> boxes) override {
    return window_.move_to(part_for(lane, boxes));
  }
  void load(std::int64_t i) override { window_.load(i); }

  void read(const Box& box, VolumeView<std::uint16_t> out) const override {
    const detail::StackPart part = part_of(box);
    std::int64_t missing = 0;
    for (std::int64_t f = part.frames.begin; f < part.frames.end; ++f)
      if (!window_.holds(f, part)) ++missing;
    // Without the window, planes are computed a few at a time.
    const std::int64_t plane_bytes = std::max<std::int64_t>(missing * block_count(part) * kBlock * 2, 1);
    const std::int64_t planes =
        std::clamp<std::int64_t>(kDirectBytes / plane_bytes, 1, std::max<std::int64_t>(box.size().z, 1));
    for (std::int64_t z = box.begin.z; z < box.end.z; z += planes) {
      Box slab = box;
      slab.begin.z = z;
      slab.end.z = std::min(z + planes, box.end.z);
      read_slab(slab, {out.row(0, z - box.begin.z), slab.size(), out.stride_y, out.stride_z});
    }
  }

 private:
  static std::int64_t block_count(const detail::StackPart& part) { return ceil_div(part.y.size(), kBlock); }

  /// What is read of the stack for `box`: in y whole blocks.
  detail::StackPart part_of(const Box& box) const {
    const Box inside = intersect(box, {{}, shape()});
    const IndexRange frames = geometry_.region().frames_for(inside);
    if (frames.empty()) return {};
    const std::int64_t y_end = std::min(detail::block_begin(inside.end.y - 1) + kBlock, shape().y);
    return {frames, {inside.begin.z, inside.end.z}, {detail::block_begin(inside.begin.y), y_end}};
  }

  /// The frames of all `boxes`, of each what `lane` needs.
  detail::StackPart part_for(const Box& lane, std::span<const Box> boxes) const {
    IndexRange frames;
    for (const Box& box : boxes) {
      const detail::StackPart part = part_of(box);
      if (part.empty()) continue;
      if (frames.empty()) frames = part.frames;
      frames = {std::min(frames.begin, part.frames.begin), std::max(frames.end, part.frames.end)};
    }
    if (frames.empty()) return {};
    const detail::StackPart rows = part_of(lane);
    return {frames, rows.z, rows.y};
  }

  void read_slab(const Box& slab, VolumeView<std::uint16_t> out) const {
    const detail::StackPart part = part_of(slab);
    const auto count = static_cast<std::size_t>(part.frames.size());
    std::vector<detail::FrameSlice> slices(count);
    std::vector<std::unique_ptr<std::uint16_t[]>> loaded;
    for (std::int64_t f = part.frames.begin; f < part.frames.end; ++f) {
      detail::FrameSlice& slice = slices[static_cast<std::size_t>(f - part.frames.begin)];
      if (window_.holds(f, part)) {
        slice = window_.at(f, part.z.begin, part.y.begin);
      } else {
        const std::int64_t stride = part.z.size() * kBlock;
        const auto& buffer = loaded.emplace_back(std::make_unique_for_overwrite<std::uint16_t[]>(
            static_cast<std::size_t>(block_count(part) * stride)));
        frames_->load(f, {part.z.begin, part.y.begin}, {buffer.get(), part.z.size(), part.y.size(), stride});
        slice = {buffer.get(), stride};
      }
    }
    detail::deskew(geometry_.region(), slab, {part.frames.begin, slices}, out);
  }

  std::unique_ptr<FrameSource> frames_;
  ObliqueGeometry geometry_;
  detail::FrameWindow window_;
};

}  // namespace

std::unique_ptr<VolumeSource> oblique_volume(std::unique_ptr<FrameSource> frames,
                                             const ScanSettings& settings) {
  return std::make_unique<ObliqueVolume>(std::move(frames), settings);
}

}  // namespace spim
