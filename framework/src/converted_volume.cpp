#include "spim/host/converted_volume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

#include "box_union.hpp"
#include "region_span.hpp"
#include "spim/error.hpp"

namespace spim {

namespace {

/// Index of the first chunk that reaches into `box`, and one past the last.
Box chunks_of(const Box& box, Index3 chunk) noexcept {
  if (box.empty()) return {};
  const Index3 first{box.begin.x / chunk.x, box.begin.y / chunk.y, box.begin.z / chunk.z};
  return {first, ceil_div(box.end, chunk)};
}

Box voxels_of(Index3 chunk_index, Index3 chunk, Index3 shape) noexcept {
  const Index3 begin{chunk_index.x * chunk.x, chunk_index.y * chunk.y, chunk_index.z * chunk.z};
  return {begin, min(begin + chunk, shape)};
}

void copy_box(VolumeView<const std::uint16_t> from, VolumeView<std::uint16_t> to) noexcept {
  for (std::int64_t z = 0; z < to.size.z; ++z)
    for (std::int64_t y = 0; y < to.size.y; ++y)
      std::memcpy(to.row(y, z), from.row(y, z), static_cast<std::size_t>(to.size.x) * sizeof(std::uint16_t));
}

/// The part of `view`, which shows `box`, that shows `part`.
VolumeView<std::uint16_t> part_of(VolumeView<std::uint16_t> view, const Box& box, const Box& part) noexcept {
  const Index3 at = part.begin - box.begin;
  return {view.row(at.y, at.z) + at.x, part.size(), view.stride_y, view.stride_z};
}

class ConvertedVolume final : public VolumeSource {
 public:
  ConvertedVolume(std::shared_ptr<VolumeReader> reader, std::int32_t level, const ValidRegion& region,
                  Vec3 voxel_um)
      : reader_(std::move(reader)),
        level_(level),
        type_(reader_->info().type),
        info_(reader_->level(level)),
        region_(region),
        voxel_um_(voxel_um) {
    if (info_.chunk.x < 1 || info_.chunk.y < 1 || info_.chunk.z < 1)
      throw Error(
          fmt::format("level {} of the volume has chunks of {} x {} x {} voxels; its reader is at fault",
                      level, info_.chunk.x, info_.chunk.y, info_.chunk.z));
    if (region_.shape != info_.shape)
      throw Error(fmt::format(
          "level {} of the volume has {} x {} x {} voxels but a region of {} x {} x {} was asked for", level,
          info_.shape.x, info_.shape.y, info_.shape.z, region_.shape.x, region_.shape.y, region_.shape.z));
    grid_ = ceil_div(info_.shape, info_.chunk);
  }

  Index3 shape() const override { return info_.shape; }
  Vec3 voxel_um() const override { return voxel_um_; }
  PixelType type() const override { return type_; }
  ValidRegion region() const override { return region_; }
  Grain grain() const override { return {info_.chunk, {}}; }

  std::int64_t memory_for(const Box&, std::span<const Box> boxes) const override {
    std::vector<Box> whole;
    for (const Box& box : boxes) {
      const Box chunks = chunks_of(clip_to(box), info_.chunk);
      if (chunks.empty()) continue;
      const Index3 last = chunks.end - Index3{1, 1, 1};
      whole.push_back({voxels_of(chunks.begin, info_.chunk, info_.shape).begin,
                       voxels_of(last, info_.chunk, info_.shape).end});
    }
    return detail::union_voxels(std::move(whole)) * static_cast<std::int64_t>(sizeof(std::uint16_t));
  }

  std::int64_t plan_loads(const Box&, std::span<const Box> boxes) override {
    const std::vector<std::int64_t> needed = needed_chunks(boxes);
    std::unordered_map<std::int64_t, Voxels> kept;
    kept.reserve(needed.size());
    missing_.clear();
    for (const std::int64_t key : needed) {
      const auto old = cache_.find(key);
      Voxels& slot = kept[key];
      if (old != cache_.end()) slot = std::move(old->second);
      if (!slot) missing_.emplace_back(key, &slot);
    }
    cache_ =
        std::move(kept);  // nodes keep their addresses; what is not needed any more is freed before reading
    return static_cast<std::int64_t>(missing_.size());
  }

  void load(std::int64_t i) override {
    const auto& [key, slot] = missing_[static_cast<std::size_t>(i)];
    decode(key, *slot);
  }

  void read(const Box& box, VolumeView<std::uint16_t> out) const override {
    const Box chunks = chunks_of(box, info_.chunk);
    Index3 at;
    for (at.z = chunks.begin.z; at.z < chunks.end.z; ++at.z)
      for (at.y = chunks.begin.y; at.y < chunks.end.y; ++at.y)
        for (at.x = chunks.begin.x; at.x < chunks.end.x; ++at.x) read_part(at, box, out);
  }

 private:
  using Voxels = std::unique_ptr<std::uint16_t[]>;

  Box clip_to(const Box& box) const noexcept { return detail::clip_to_region(region_, box); }

  std::int64_t key_of(Index3 at) const noexcept { return (at.z * grid_.y + at.y) * grid_.x + at.x; }
  Index3 index_of(std::int64_t key) const noexcept {
    return {key % grid_.x, key / grid_.x % grid_.y, key / grid_.x / grid_.y};
  }

  /// In the order of the file's grid, each once.
  std::vector<std::int64_t> needed_chunks(std::span<const Box> boxes) const {
    std::vector<std::int64_t> keys;
    for (const Box& box : boxes) {
      const Box chunks = chunks_of(clip_to(box), info_.chunk);
      Index3 at;
      for (at.z = chunks.begin.z; at.z < chunks.end.z; ++at.z)
        for (at.y = chunks.begin.y; at.y < chunks.end.y; ++at.y)
          for (at.x = chunks.begin.x; at.x < chunks.end.x; ++at.x) keys.push_back(key_of(at));
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
  }

  void decode(std::int64_t key, Voxels& slot) const {
    const Box box = voxels_of(index_of(key), info_.chunk, info_.shape);
    Voxels voxels(new std::uint16_t[static_cast<std::size_t>(count(box.size()))]);
    reader_->read(level_, box, dense_view(voxels.get(), box.size()));
    slot = std::move(voxels);
  }

  void read_part(Index3 at, const Box& box, VolumeView<std::uint16_t> out) const {
    const Box chunk = voxels_of(at, info_.chunk, info_.shape);
    const Box part = intersect(chunk, box);
    const auto found = cache_.find(key_of(at));
    if (found == cache_.end() || !found->second) return reader_->read(level_, part, part_of(out, box, part));
    const auto cached = dense_view(found->second.get(), chunk.size());
    copy_box(as_const(part_of(cached, chunk, part)), part_of(out, box, part));
  }

  std::shared_ptr<VolumeReader> reader_;
  std::int32_t level_;
  PixelType type_;
  LevelInfo info_;
  ValidRegion region_;
  Vec3 voxel_um_;
  Index3 grid_;
  std::unordered_map<std::int64_t, Voxels> cache_;  ///< null until loaded; changes in plan_loads() only
  std::vector<std::pair<std::int64_t, Voxels*>> missing_;  ///< what load() is for
};

}  // namespace

std::unique_ptr<VolumeSource> converted_volume(std::shared_ptr<VolumeReader> reader, std::int32_t level,
                                               const ValidRegion& region, Vec3 voxel_um) {
  return std::make_unique<ConvertedVolume>(std::move(reader), level, region, voxel_um);
}

}  // namespace spim
