#include "spim/host/mosaic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "placed_tile.hpp"
#include "slab_blender.hpp"
#include "spim/error.hpp"
#include "zero.hpp"

namespace spim {

using detail::TileInMosaic;
using detail::TileOrigin;

namespace {

/// Voxels of all tiles in one slab of planes stay in the second-level cache.
constexpr std::int64_t kSlabBytes = 512 * 1024;

std::string text_of(Index3 v) {
  return fmt::format("{},{},{}", v.x, v.y, v.z);
}

class Mosaic final : public VolumeSource {
 public:
  Mosaic(std::vector<TileInMosaic> tiles, const Box& output);

  Index3 shape() const override { return output_.size(); }
  Vec3 voxel_um() const override { return tiles_.front().volume().voxel_um(); }
  PixelType type() const override { return tiles_.front().volume().type(); }
  ValidRegion region() const override { return region_; }
  LoadCost cost() const override;
  std::int64_t whole_frames_in(const Box& lane) const override;
  std::int64_t memory_for(const Box& lane, std::span<const Box> boxes) const override;
  std::int64_t plan_loads(const Box& lane, std::span<const Box> boxes) override;
  void load(std::int64_t i) override;
  void read(const Box& box, VolumeView<std::uint16_t> out) const override;
  bool may_hold_data(const Box& box) const override;

 private:
  Box local_box(const TileInMosaic& tile, const Box& box) const {
    return tile.local_box(intersect(shift(box, output_.begin), output_));
  }
  std::vector<Box> local_boxes(const TileInMosaic& tile, std::span<const Box> boxes) const;

  std::vector<TileInMosaic> tiles_;
  Box output_;  ///< the part of the mosaic that is shown
  ValidRegion region_;
  std::vector<std::int64_t> loads_;  ///< of the last plan: of the tiles up to and with each
  mutable detail::BlenderPool blenders_;
};

Mosaic::Mosaic(std::vector<TileInMosaic> tiles, const Box& output)
    : tiles_(std::move(tiles)), output_(output) {
  region_ = tiles_.front().volume().region();
  detail::WRange w = tiles_.front().w_of_mosaic(region_.shear);
  for (const TileInMosaic& tile : tiles_) {
    const detail::WRange own = tile.w_of_mosaic(region_.shear);
    w = {std::min(w.first, own.first), std::max(w.last, own.last)};
  }
  const double moved =
      static_cast<double>(output_.begin.x) - region_.shear * static_cast<double>(output_.begin.z);
  region_.shape = output_.size();
  region_.frames = static_cast<std::int64_t>(std::ceil(w.last - w.first)) + 1;
  region_.x_offset = w.first - moved;
  if (region_.direction < 0) region_.x_offset += static_cast<double>(region_.frames - 1);
}

std::vector<Box> Mosaic::local_boxes(const TileInMosaic& tile, std::span<const Box> boxes) const {
  std::vector<Box> local;
  for (const Box& box : boxes) {
    const Box part = local_box(tile, box);
    if (!part.empty()) local.push_back(part);
  }
  return local;
}

LoadCost Mosaic::cost() const {
  // A worker loads one thing at a time, and tiles share the buffers of their workers.
  LoadCost most;
  for (const TileInMosaic& tile : tiles_) {
    const LoadCost cost = tile.volume().cost();
    most.whole_frame |= cost.whole_frame;
    most.scratch_bytes = std::max(most.scratch_bytes, cost.scratch_bytes);
  }
  return most;
}

std::int64_t Mosaic::whole_frames_in(const Box& lane) const {
  std::int64_t frames = 0;
  for (const TileInMosaic& tile : tiles_)
    if (const Box local = local_box(tile, lane); !local.empty())
      frames += tile.volume().whole_frames_in(local);
  return frames;
}

std::int64_t Mosaic::memory_for(const Box& lane, std::span<const Box> boxes) const {
  std::int64_t bytes = 0;
  for (const TileInMosaic& tile : tiles_) {
    const std::vector<Box> local = local_boxes(tile, boxes);
    if (!local.empty()) bytes += tile.volume().memory_for(local_box(tile, lane), local);
  }
  return bytes;
}

std::int64_t Mosaic::plan_loads(const Box& lane, std::span<const Box> boxes) {
  loads_.clear();
  std::int64_t loads = 0;
  for (const TileInMosaic& tile : tiles_)
    loads_.push_back(loads += tile.volume().plan_loads(local_box(tile, lane), local_boxes(tile, boxes)));
  return loads;
}

void Mosaic::load(std::int64_t i) {
  const auto tile = std::ranges::upper_bound(loads_, i) - loads_.begin();
  const std::int64_t before = tile > 0 ? loads_[static_cast<std::size_t>(tile - 1)] : 0;
  tiles_[static_cast<std::size_t>(tile)].volume().load(i - before);
}

bool Mosaic::may_hold_data(const Box& box) const {
  const Box wanted = intersect(shift(box, output_.begin), output_);
  return std::any_of(tiles_.begin(), tiles_.end(),
                     [&](const TileInMosaic& tile) { return !tile.local_box(wanted).empty(); });
}

void Mosaic::read(const Box& box, VolumeView<std::uint16_t> out) const {
  const Box wanted = shift(box, output_.begin);
  const auto touches = [&](const TileInMosaic& tile) { return !tile.local_box(wanted).empty(); };
  const std::int64_t touching = std::count_if(tiles_.begin(), tiles_.end(), touches);
  if (touching == 0) return detail::zero_volume(out);
  const std::int64_t plane_bytes =
      out.size.x * out.size.y * touching * static_cast<std::int64_t>(sizeof(std::uint16_t));
  const std::int64_t planes =
      touching == 1 ? out.size.z : std::clamp<std::int64_t>(kSlabBytes / plane_bytes, 1, out.size.z);
  const detail::BlenderPool::Lease blender(blenders_);
  for (std::int64_t z = 0; z < out.size.z; z += planes) {
    Box slab = wanted;
    slab.begin.z = wanted.begin.z + z;
    slab.end.z = std::min(slab.begin.z + planes, wanted.end.z);
    (*blender).read(tiles_, slab, {out.row(0, z), slab.size(), out.stride_y, out.stride_z});
  }
}

bool same_pitch(double a, double b) noexcept {
  return std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b));
}

void check_alike(const std::vector<PlacedTile>& tiles) {
  if (tiles.empty()) throw Error("a mosaic needs at least one tile");
  const PlacedTile& first = tiles.front();
  const Vec3 um = first.volume->voxel_um();
  if (!(um.x > 0 && um.y > 0 && um.z > 0))
    throw Error(
        fmt::format("{} has voxels of {} x {} x {} um; give its voxel size", first.name, um.x, um.y, um.z));
  for (const PlacedTile& tile : tiles) {
    if (tile.volume->type() != first.volume->type())
      throw Error(fmt::format("{} holds {}-bit samples but {} holds {}-bit ones; stitch them separately",
                              tile.name, 8 * bytes_of(tile.volume->type()), first.name,
                              8 * bytes_of(first.volume->type())));
    const Vec3 own = tile.volume->voxel_um();
    if (!same_pitch(own.x, um.x) || !same_pitch(own.y, um.y) || !same_pitch(own.z, um.z))
      throw Error(fmt::format(
          "{} has voxels of {} x {} x {} um but {} has {} x {} x {} um; give all tiles the same voxel size",
          tile.name, own.x, own.y, own.z, first.name, um.x, um.y, um.z));
    const Vec3 at = tile.position_voxels;
    constexpr double kFarthest = 1e9;
    if (!(std::abs(at.x) < kFarthest && std::abs(at.y) < kFarthest && std::abs(at.z) < kFarthest))
      throw Error(fmt::format("{} lies at voxel {}, {}, {}, more than {} voxels away; check its position",
                              tile.name, at.x, at.y, at.z, kFarthest));
  }
}

Box output_box(const MosaicSettings& settings, Index3 whole) {
  const Index3 from = settings.output_offset;
  Index3 size = settings.output_size;
  if (size.x == 0) size.x = whole.x - from.x;
  if (size.y == 0) size.y = whole.y - from.y;
  if (size.z == 0) size.z = whole.z - from.z;
  const auto fits = [](std::int64_t first, std::int64_t length, std::int64_t limit) {
    return first >= 0 && first < limit && length > 0 && length <= limit - first;
  };
  if (!fits(from.x, size.x, whole.x) || !fits(from.y, size.y, whole.y) || !fits(from.z, size.z, whole.z))
    throw Error(
        fmt::format("the output of size {} at offset {} does not lie inside the mosaic of {} voxels (x,y,z); "
                    "give another --output-size or --output-offset",
                    text_of(settings.output_size), text_of(from), text_of(whole)));
  return {from, from + size};
}

}  // namespace

std::unique_ptr<VolumeSource> mosaic(std::vector<PlacedTile> tiles, const MosaicSettings& settings) {
  check_alike(tiles);
  Vec3 least = tiles.front().position_voxels;
  for (const PlacedTile& tile : tiles)
    least = {std::min(least.x, tile.position_voxels.x), std::min(least.y, tile.position_voxels.y),
             std::min(least.z, tile.position_voxels.z)};
  std::vector<TileInMosaic> placed;
  Index3 whole;
  for (PlacedTile& tile : tiles) {
    const Vec3 position = tile.position_voxels - least;
    const TileOrigin at = settings.interpolation == Interpolation::nearest ? detail::nearest_origin(position)
                                                                           : detail::exact_origin(position);
    const Index3 taps{at.fraction.x > 0, at.fraction.y > 0, at.fraction.z > 0};
    whole = max(whole, at.origin + tile.volume->shape() - taps);
    placed.emplace_back(std::move(tile.volume), at);
  }
  return std::make_unique<Mosaic>(std::move(placed), output_box(settings, whole));
}

}  // namespace spim
