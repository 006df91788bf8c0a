#include "spim/host/mosaic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <utility>

#include "placed_tile.hpp"
#include "spim/error.hpp"

namespace spim {

using detail::FaceDistance;
using detail::TileInMosaic;
using detail::TileOrigin;
using detail::XSpan;

namespace {

/// Voxels of all tiles in one slab of planes stay in the second-level cache.
constexpr std::int64_t kSlabBytes = 512 * 1024;

std::string text_of(Index3 v) {
  return fmt::format("{},{},{}", v.x, v.y, v.z);
}

void zero_span(std::uint16_t* row, std::int64_t begin, std::int64_t end) noexcept {
  if (end > begin) std::memset(row + begin, 0, static_cast<std::size_t>(end - begin) * sizeof(std::uint16_t));
}

void zero_volume(VolumeView<std::uint16_t> out) noexcept {
  for (std::int64_t z = 0; z < out.size.z; ++z)
    for (std::int64_t y = 0; y < out.size.y; ++y) zero_span(out.row(y, z), 0, out.size.x);
}

/// What one tile gives to a slab.
struct Contribution {
  const TileInMosaic* tile = nullptr;
  Box held;  ///< local voxels in `voxels`
  VolumeView<const std::uint16_t> voxels;
  XSpan span;  ///< valid in the current row, clipped to the slab
};

/// Buffers of one reading thread, reused from call to call.
struct Scratch {
  std::vector<std::uint16_t> voxels;
  std::vector<float> weighted, weights, values;
  std::vector<Contribution> tiles;
  std::vector<std::int64_t> cuts;
};

class ScratchPool {
 public:
  /// A scratch that returns to its pool.
  class Loan {
   public:
    explicit Loan(ScratchPool& pool) : pool_(pool), scratch_(pool.take()) {}
    ~Loan() { pool_.give_back(std::move(scratch_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Scratch& operator*() const noexcept { return *scratch_; }

   private:
    ScratchPool& pool_;
    std::unique_ptr<Scratch> scratch_;
  };

 private:
  std::unique_ptr<Scratch> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Scratch>();
    std::unique_ptr<Scratch> scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }
  void give_back(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> free_;
};

class Mosaic final : public VolumeSource {
 public:
  Mosaic(std::vector<TileInMosaic> tiles, const Box& output);

  Index3 shape() const override { return output_.size(); }
  Vec3 voxel_um() const override { return tiles_.front().volume().voxel_um(); }
  PixelType type() const override { return tiles_.front().volume().type(); }
  ValidRegion region() const override { return region_; }
  std::int64_t memory_for(std::span<const Box> boxes) const override;
  void prepare(std::span<const Box> boxes, const Executor& executor) override;
  void read(const Box& box, VolumeView<std::uint16_t> out) const override;
  bool may_hold_data(const Box& box) const override;

 private:
  std::vector<Box> local_boxes(const TileInMosaic& tile, std::span<const Box> boxes) const;
  void read_slab(const Box& slab, VolumeView<std::uint16_t> out, Scratch& scratch) const;
  static void copy_one(const TileInMosaic& tile, const Box& slab, VolumeView<std::uint16_t> out);
  static void load(const Box& slab, Scratch& scratch);
  static void blend_row(Index3 first, XSpan row, std::uint16_t* out, Scratch& scratch);
  static void fill_span(Index3 first, XSpan span, std::uint16_t* out, Scratch& scratch);

  std::vector<TileInMosaic> tiles_;
  Box output_;  ///< the part of the mosaic that is shown
  ValidRegion region_;
  mutable ScratchPool scratch_;
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
    const Box part = tile.local_box(intersect(shift(box, output_.begin), output_));
    if (!part.empty()) local.push_back(part);
  }
  return local;
}

std::int64_t Mosaic::memory_for(std::span<const Box> boxes) const {
  std::int64_t bytes = 0;
  for (const TileInMosaic& tile : tiles_) {
    const std::vector<Box> local = local_boxes(tile, boxes);
    if (!local.empty()) bytes += tile.volume().memory_for(local);
  }
  return bytes;
}

void Mosaic::prepare(std::span<const Box> boxes, const Executor& executor) {
  // What is not needed any more goes first, in all tiles, before anything new comes.
  std::vector<std::vector<Box>> local;
  for (const TileInMosaic& tile : tiles_) {
    local.push_back(local_boxes(tile, boxes));
    if (local.back().empty()) tile.volume().prepare({}, executor);
  }
  for (std::size_t i = 0; i < tiles_.size(); ++i)
    if (!local[i].empty()) tiles_[i].volume().prepare(local[i], executor);
}

bool Mosaic::may_hold_data(const Box& box) const {
  const Box wanted = intersect(shift(box, output_.begin), output_);
  return std::any_of(tiles_.begin(), tiles_.end(),
                     [&](const TileInMosaic& tile) { return !tile.local_box(wanted).empty(); });
}

void Mosaic::read(const Box& box, VolumeView<std::uint16_t> out) const {
  const Box wanted = shift(box, output_.begin);
  std::int64_t touching = 0;
  for (const TileInMosaic& tile : tiles_) touching += !tile.local_box(wanted).empty();
  if (touching == 0) return zero_volume(out);
  const std::int64_t plane_bytes =
      out.size.x * out.size.y * touching * static_cast<std::int64_t>(sizeof(std::uint16_t));
  const std::int64_t planes =
      touching == 1 ? out.size.z : std::clamp<std::int64_t>(kSlabBytes / plane_bytes, 1, out.size.z);
  const ScratchPool::Loan scratch(scratch_);
  for (std::int64_t z = 0; z < out.size.z; z += planes) {
    const std::int64_t depth = std::min(planes, out.size.z - z);
    const Box slab{{wanted.begin.x, wanted.begin.y, wanted.begin.z + z},
                   {wanted.end.x, wanted.end.y, wanted.begin.z + z + depth}};
    read_slab(slab, {out.row(0, z), slab.size(), out.stride_y, out.stride_z}, *scratch);
  }
}

void Mosaic::read_slab(const Box& slab, VolumeView<std::uint16_t> out, Scratch& scratch) const {
  scratch.tiles.clear();
  for (const TileInMosaic& tile : tiles_) {
    const Box held = tile.local_box(slab);
    if (!held.empty()) scratch.tiles.push_back({&tile, held, {}, {}});
  }
  if (scratch.tiles.empty()) return zero_volume(out);
  if (scratch.tiles.size() == 1 && !scratch.tiles[0].tile->shifted_by_fraction())
    return copy_one(*scratch.tiles[0].tile, slab, out);
  load(slab, scratch);
  for (std::int64_t z = 0; z < out.size.z; ++z)
    for (std::int64_t y = 0; y < out.size.y; ++y)
      blend_row(slab.begin + Index3{0, y, z}, {slab.begin.x, slab.end.x}, out.row(y, z), scratch);
}

/// Straight into the output, then zeros around the valid voxels.
void Mosaic::copy_one(const TileInMosaic& tile, const Box& slab, VolumeView<std::uint16_t> out) {
  const Box local = tile.to_local(slab);
  const Box part = intersect(local, Box{{0, 0, 0}, tile.volume().shape()});
  const Index3 at = part.begin - local.begin;
  tile.volume().read(part, {out.row(at.y, at.z) + at.x, part.size(), out.stride_y, out.stride_z});
  for (std::int64_t z = 0; z < out.size.z; ++z)
    for (std::int64_t y = 0; y < out.size.y; ++y) {
      const XSpan valid =
          detail::intersect(tile.valid_row(slab.begin.y + y, slab.begin.z + z), {slab.begin.x, slab.end.x});
      if (valid.empty()) {
        zero_span(out.row(y, z), 0, out.size.x);
      } else {
        zero_span(out.row(y, z), 0, valid.begin - slab.begin.x);
        zero_span(out.row(y, z), valid.end - slab.begin.x, out.size.x);
      }
    }
}

/// Reads every contribution's voxels into the scratch.
void Mosaic::load(const Box& slab, Scratch& scratch) {
  std::size_t total = 0;
  for (const Contribution& c : scratch.tiles) total += static_cast<std::size_t>(count(c.held.size()));
  if (scratch.voxels.size() < total) scratch.voxels.resize(total);
  std::uint16_t* next = scratch.voxels.data();
  for (Contribution& c : scratch.tiles) {
    const auto view = dense_view(next, c.held.size());
    c.tile->volume().read(c.held, view);
    c.voxels = as_const(view);
    next += count(c.held.size());
  }
  const std::size_t length = static_cast<std::size_t>(slab.size().x);
  if (scratch.weights.size() < length) {
    scratch.weighted.resize(length);
    scratch.weights.resize(length);
    scratch.values.resize(length);
  }
}

/// Cuts the row where a tile begins or ends; between two cuts the same tiles cover every voxel.
void Mosaic::blend_row(Index3 first, XSpan row, std::uint16_t* out, Scratch& scratch) {
  scratch.cuts.clear();
  for (Contribution& c : scratch.tiles) {
    c.span = detail::intersect(c.tile->valid_row(first.y, first.z), row);
    if (c.span.empty()) continue;
    scratch.cuts.push_back(c.span.begin);
    scratch.cuts.push_back(c.span.end);
  }
  std::sort(scratch.cuts.begin(), scratch.cuts.end());
  std::int64_t done = row.begin;
  for (const std::int64_t cut : scratch.cuts) {
    if (cut > done) fill_span({0, first.y, first.z}, {done, cut}, out + (done - row.begin), scratch);
    done = std::max(done, cut);
  }
  zero_span(out, done - row.begin, row.end - row.begin);
}

/// Voxels `span` of the row of `first`, all covered by the same tiles.
void Mosaic::fill_span(Index3 first, XSpan span, std::uint16_t* out, Scratch& scratch) {
  const std::int64_t length = span.end - span.begin;
  const auto covers = [&](const Contribution& c) {
    return c.span.begin <= span.begin && c.span.end >= span.end;
  };
  const auto covering = std::count_if(scratch.tiles.begin(), scratch.tiles.end(), covers);
  if (covering == 0) return zero_span(out, 0, length);
  first.x = span.begin;
  const std::size_t bytes = static_cast<std::size_t>(length) * sizeof(float);
  if (covering > 1) {
    std::memset(scratch.weighted.data(), 0, bytes);
    std::memset(scratch.weights.data(), 0, bytes);
  }
  for (const Contribution& c : scratch.tiles) {
    if (!covers(c)) continue;
    const FaceDistance distance = c.tile->distance_row(first.y, first.z);
    const std::int64_t x = c.tile->local_x(span.begin);
    if (c.tile->shifted_by_fraction()) {
      c.tile->interpolate(c.voxels, c.held, first, length, scratch.values.data());
      if (covering == 1) return detail::round_row(scratch.values.data(), length, out);
      detail::accumulate(scratch.values.data(), x, length, distance, scratch.weighted.data(),
                         scratch.weights.data());
    } else {
      const Index3 at = c.tile->to_local(Box{first, first}).begin - c.held.begin;
      const std::uint16_t* voxels = c.voxels.row(at.y, at.z) + at.x;
      if (covering == 1) {
        std::memcpy(out, voxels, static_cast<std::size_t>(length) * sizeof(std::uint16_t));
        return;
      }
      detail::accumulate(voxels, x, length, distance, scratch.weighted.data(), scratch.weights.data());
    }
  }
  detail::finish_mean(scratch.weighted.data(), scratch.weights.data(), length, out);
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
