#include "spim/host/cropped_volume.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "spim/error.hpp"

namespace spim {

namespace {

/// First boundary at or behind 0 of cells that begin at first + k·size, seen from voxel `begin`.
std::int64_t first_boundary(std::int64_t first, std::int64_t size, std::int64_t begin) noexcept {
  if (size < 1) return 0;
  const std::int64_t at = (first - begin) % size;
  return at < 0 ? at + size : at;
}

class CroppedVolume final : public VolumeSource {
 public:
  CroppedVolume(std::shared_ptr<VolumeSource> source, const Box& box)
      : source_(std::move(source)), box_(box) {}

  Index3 shape() const override { return box_.size(); }
  Vec3 voxel_um() const override { return source_->voxel_um(); }
  PixelType type() const override { return source_->type(); }

  /// The line x = x_offset + r·z of the first frame moves with the origin.
  ValidRegion region() const override {
    ValidRegion region = source_->region();
    region.shape = shape();
    region.x_offset += region.shear * static_cast<double>(box_.begin.z) - static_cast<double>(box_.begin.x);
    return region;
  }

  LoadCost cost() const override { return source_->cost(); }

  Grain grain() const override {
    const Grain grain = source_->grain();
    return {grain.size,
            {first_boundary(grain.first.x, grain.size.x, box_.begin.x),
             first_boundary(grain.first.y, grain.size.y, box_.begin.y),
             first_boundary(grain.first.z, grain.size.z, box_.begin.z)}};
  }

  std::int64_t whole_frames_in(const Box& lane) const override {
    return source_->whole_frames_in(intersect(shift(lane, box_.begin), box_));
  }
  std::int64_t memory_for(const Box& lane, std::span<const Box> boxes) const override {
    return source_->memory_for(intersect(shift(lane, box_.begin), box_), inside(boxes));
  }
  std::int64_t plan_loads(const Box& lane, std::span<const Box> boxes) override {
    return source_->plan_loads(intersect(shift(lane, box_.begin), box_), inside(boxes));
  }
  void load(std::int64_t i) override { source_->load(i); }
  void read(const Box& box, VolumeView<std::uint16_t> out) const override {
    source_->read(shift(box, box_.begin), out);
  }
  bool may_hold_data(const Box& box) const override {
    const Box part = intersect(shift(box, box_.begin), box_);
    return !part.empty() && source_->may_hold_data(part);
  }

 private:
  std::vector<Box> inside(std::span<const Box> boxes) const {
    std::vector<Box> parts;
    for (const Box& box : boxes)
      if (const Box part = intersect(shift(box, box_.begin), box_); !part.empty()) parts.push_back(part);
    return parts;
  }

  std::shared_ptr<VolumeSource> source_;
  Box box_;
};

}  // namespace

std::unique_ptr<VolumeSource> cropped_volume(std::shared_ptr<VolumeSource> source, const Box& box) {
  const Index3 shape = source->shape();
  if (box.empty() || !contains({{}, shape}, box))
    throw Error(fmt::format("the box {}:{},{}:{},{}:{} is not a part of a volume of {} x {} x {} voxels",
                            box.begin.x, box.end.x, box.begin.y, box.end.y, box.begin.z, box.end.z, shape.x,
                            shape.y, shape.z));
  return std::make_unique<CroppedVolume>(std::move(source), box);
}

}  // namespace spim
