#include "spim/host/frame_volume.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace spim {

namespace {

/// Frames and their rows that are in memory, or are to be.
struct Part {
  IndexRange frames;
  IndexRange rows;
  std::int64_t bytes(std::int64_t columns) const noexcept {
    return frames.size() * rows.size() * columns * static_cast<std::int64_t>(sizeof(std::uint16_t));
  }
};

class FrameVolume final : public VolumeSource {
 public:
  FrameVolume(std::unique_ptr<FrameSource> frames, Vec3 voxel_um)
      : frames_(std::move(frames)), stack_(frames_->shape()), voxel_um_(voxel_um) {}

  Index3 shape() const override { return {stack_.columns, stack_.rows, stack_.frames}; }
  Vec3 voxel_um() const override { return voxel_um_; }
  PixelType type() const override { return frames_->type(); }
  ValidRegion region() const override { return {shape(), 0, 0, stack_.columns, 1}; }
  LoadCost cost() const override { return frames_->cost(); }
  std::int64_t whole_frames_in(const Box& lane) const override {
    const Box box[] = {lane};
    return frames_->cost().whole_frame ? part_for(lane, box).frames.size() : 0;
  }

  std::int64_t memory_for(const Box& lane, std::span<const Box> boxes) const override {
    return part_for(lane, boxes).bytes(stack_.columns);
  }

  std::int64_t plan_loads(const Box& lane, std::span<const Box> boxes) override {
    const Part part = part_for(lane, boxes);
    if (part.rows != rows_) held_.clear();
    rows_ = part.rows;
    std::erase_if(held_, [&](const auto& frame) {
      return frame.first < part.frames.begin || frame.first >= part.frames.end;
    });
    missing_.clear();
    for (std::int64_t frame = part.frames.begin; frame < part.frames.end; ++frame)
      if (Samples& slot = held_[frame]; !slot) missing_.emplace_back(frame, &slot);
    return static_cast<std::int64_t>(missing_.size());
  }

  void load(std::int64_t i) override {
    const auto& [frame, slot] = missing_[static_cast<std::size_t>(i)];
    Samples samples(new std::uint16_t[static_cast<std::size_t>(rows_.size() * stack_.columns)]);
    frames_->load_rows(frame, {0, rows_.begin},
                       {samples.get(), rows_.size(), stack_.columns, stack_.columns});
    *slot = std::move(samples);
  }

  void read(const Box& box, VolumeView<std::uint16_t> out) const override {
    const Index3 size = box.size();
    const bool rows_are_held = box.begin.y >= rows_.begin && box.end.y <= rows_.end;
    for (std::int64_t z = 0; z < size.z; ++z) {
      const auto held = held_.find(box.begin.z + z);
      if (held == held_.end() || !held->second || !rows_are_held) {
        frames_->load_rows(box.begin.z + z, {box.begin.x, box.begin.y},
                           {out.row(0, z), size.y, size.x, out.stride_y});
        continue;
      }
      for (std::int64_t y = 0; y < size.y; ++y)
        std::copy_n(held->second.get() + (box.begin.y + y - rows_.begin) * stack_.columns + box.begin.x,
                    size.x, out.row(y, z));
    }
  }

 private:
  using Samples = std::unique_ptr<std::uint16_t[]>;

  /// The frames of `boxes`, of each the rows of `lane`.
  Part part_for(const Box& lane, std::span<const Box> boxes) const {
    Part all;
    const auto join = [](IndexRange& a, IndexRange b) {
      a = a.empty() ? b : IndexRange{std::min(a.begin, b.begin), std::max(a.end, b.end)};
    };
    for (const Box& box : boxes) {
      const Box inside = intersect(box, {{}, shape()});
      if (inside.empty()) continue;
      join(all.frames, {inside.begin.z, inside.end.z});
    }
    if (!all.frames.empty())
      all.rows = {std::max<std::int64_t>(lane.begin.y, 0), std::min(lane.end.y, stack_.rows)};
    return all;
  }

  std::unique_ptr<FrameSource> frames_;
  StackShape stack_;
  Vec3 voxel_um_;
  IndexRange rows_;                       ///< that are held of each frame
  std::map<std::int64_t, Samples> held_;  ///< by frame, null until loaded; changes in plan_loads() only
  std::vector<std::pair<std::int64_t, Samples*>> missing_;  ///< what load() is for
};

}  // namespace

std::unique_ptr<VolumeSource> frame_volume(std::unique_ptr<FrameSource> frames, Vec3 voxel_um) {
  return std::make_unique<FrameVolume>(std::move(frames), voxel_um);
}

}  // namespace spim
