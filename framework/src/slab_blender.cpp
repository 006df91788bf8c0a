#include "slab_blender.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "blend.hpp"
#include "zero.hpp"

namespace spim::detail {

namespace {

/// One tile alone, straight into the output, then zeros around its valid voxels.
void copy_tile(const TileInMosaic& tile, const Box& slab, VolumeView<std::uint16_t> out) {
  const Box local = tile.to_local(slab);
  const Box part = intersect(local, Box{{0, 0, 0}, tile.volume().shape()});
  const Index3 at = part.begin - local.begin;
  tile.volume().read(part, {out.row(at.y, at.z) + at.x, part.size(), out.stride_y, out.stride_z});
  for (std::int64_t z = 0; z < out.size.z; ++z) {
    const TileInMosaic::Plane plane = tile.plane(slab.begin.z + z);
    const IndexRange x = intersect(plane.x, {slab.begin.x, slab.end.x});
    for (std::int64_t y = 0; y < out.size.y; ++y) {
      const bool covered = !x.empty() && slab.begin.y + y >= plane.y.begin && slab.begin.y + y < plane.y.end;
      zero_row(out.row(y, z), covered ? x.begin - slab.begin.x : out.size.x);
      if (covered) zero_row(out.row(y, z) + (x.end - slab.begin.x), slab.end.x - x.end);
    }
  }
}

/// The places within `whole` where one of `ranges` begins or ends, with its own ends; sorted, each once.
void cut(std::vector<std::int64_t>& cuts, IndexRange whole) {
  cuts.push_back(whole.begin);
  cuts.push_back(whole.end);
  for (std::int64_t& c : cuts) c = std::clamp(c, whole.begin, whole.end);
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
}

}  // namespace

void SlabBlender::read(std::span<const TileInMosaic> tiles, const Box& slab, VolumeView<std::uint16_t> out) {
  tiles_.clear();
  for (const TileInMosaic& tile : tiles) {
    const Box held = tile.local_box(slab);
    if (!held.empty()) tiles_.push_back({&tile, held, {}, {}});
  }
  if (tiles_.empty()) return zero_volume(out);
  if (tiles_.size() == 1 && !tiles_[0].tile->shifted_by_fraction())
    return copy_tile(*tiles_[0].tile, slab, out);
  load(slab);
  for (std::int64_t z = 0; z < out.size.z; ++z)
    fill_plane(slab, slab.begin.z + z,
               {out.row(0, z), {out.size.x, out.size.y, 1}, out.stride_y, out.stride_z});
}

/// Reads what every tile gives.
void SlabBlender::load(const Box& slab) {
  std::size_t total = 0;
  for (const Contribution& c : tiles_) total += static_cast<std::size_t>(count(c.held.size()));
  if (voxels_.size() < total) voxels_.resize(total);
  std::uint16_t* next = voxels_.data();
  for (Contribution& c : tiles_) {
    const auto view = dense_view(next, c.held.size());
    c.tile->volume().read(c.held, view);
    c.voxels = as_const(view);
    next += count(c.held.size());
  }
  const std::size_t length = static_cast<std::size_t>(slab.size().x);
  if (weights_.size() < length)
    for (std::vector<float>* row : {&weighted_, &weights_, &values_}) row->resize(length);
}

/// Cuts the plane where a tile begins or ends in y: in each band the same tiles are met.
void SlabBlender::fill_plane(const Box& slab, std::int64_t z, VolumeView<std::uint16_t> out) {
  y_cuts_.clear();
  for (Contribution& c : tiles_) {
    c.plane = c.tile->plane(z);
    y_cuts_.push_back(c.plane.y.begin);
    y_cuts_.push_back(c.plane.y.end);
  }
  cut(y_cuts_, {slab.begin.y, slab.end.y});
  for (std::size_t i = 0; i + 1 < y_cuts_.size(); ++i) {
    const Patch band{{slab.begin.x, slab.end.x}, {y_cuts_[i], y_cuts_[i + 1]}, z};
    const Index3 size{out.size.x, band.y.size(), 1};
    fill_band(band, {out.row(band.y.begin - slab.begin.y, 0), size, out.stride_y, out.stride_z});
  }
}

/// Cuts the band where a tile begins or ends in x.
void SlabBlender::fill_band(const Patch& band, VolumeView<std::uint16_t> out) {
  x_cuts_.clear();
  for (const Contribution& c : tiles_) {
    if (c.plane.x.empty()) continue;
    x_cuts_.push_back(c.plane.x.begin);
    x_cuts_.push_back(c.plane.x.end);
  }
  cut(x_cuts_, band.x);
  for (std::size_t i = 0; i + 1 < x_cuts_.size(); ++i) {
    const Patch patch{{x_cuts_[i], x_cuts_[i + 1]}, band.y, band.z};
    find_covering(patch);
    for (std::int64_t y = patch.y.begin; y < patch.y.end; ++y)
      fill_row(patch, y, out.row(y - band.y.begin, 0) + (patch.x.begin - band.x.begin));
  }
}

void SlabBlender::find_covering(const Patch& patch) {
  const auto holds = [](IndexRange outer, IndexRange inner) {
    return outer.begin <= inner.begin && inner.end <= outer.end;
  };
  covering_.clear();
  for (const Contribution& c : tiles_)
    if (holds(c.plane.x, patch.x) && holds(c.plane.y, patch.y)) covering_.push_back(&c);
}

void SlabBlender::fill_row(const Patch& patch, std::int64_t y, std::uint16_t* out) {
  const std::int64_t length = patch.x.size();
  const Index3 first{patch.x.begin, y, patch.z};
  if (covering_.empty()) return zero_row(out, length);
  if (covering_.size() == 1) return copy_row(*covering_[0], first, length, out);
  const Contribution& a = *covering_[0];
  const Contribution& b = *covering_[1];
  if (covering_.size() > 2 || a.tile->shifted_by_fraction() || b.tile->shifted_by_fraction())
    return blend_many(first, length, out);
  blend_two({voxels_at(a, first), a.tile->local_x(first.x), distance_in(a, y)},
            {voxels_at(b, first), b.tile->local_x(first.x), distance_in(b, y)}, length, out);
}

void SlabBlender::copy_row(const Contribution& c, Index3 first, std::int64_t length, std::uint16_t* out) {
  if (c.tile->shifted_by_fraction()) {
    c.tile->interpolate(c.voxels, c.held, first, {values_.data(), static_cast<std::size_t>(length)});
    round_row(values_.data(), length, out);
  } else {
    std::memcpy(out, voxels_at(c, first), static_cast<std::size_t>(length) * sizeof(std::uint16_t));
  }
}

void SlabBlender::blend_many(Index3 first, std::int64_t length, std::uint16_t* out) {
  std::fill_n(weighted_.data(), length, 0.0f);
  std::fill_n(weights_.data(), length, 0.0f);
  for (const Contribution* c : covering_) {
    const RowSums sums{c->tile->local_x(first.x), length, weighted_.data(), weights_.data()};
    if (c->tile->shifted_by_fraction()) {
      c->tile->interpolate(c->voxels, c->held, first, {values_.data(), static_cast<std::size_t>(length)});
      accumulate(values_.data(), distance_in(*c, first.y), sums);
    } else {
      accumulate(voxels_at(*c, first), distance_in(*c, first.y), sums);
    }
  }
  finish_mean(weighted_.data(), weights_.data(), length, out);
}

FaceDistance SlabBlender::distance_in(const Contribution& c, std::int64_t y) noexcept {
  FaceDistance distance = c.plane.distance;
  distance.cap = std::min(distance.cap, c.tile->to_y_face(y));
  return distance;
}

const std::uint16_t* SlabBlender::voxels_at(const Contribution& c, Index3 first) noexcept {
  const Index3 at = c.tile->to_local(Box{first, first}).begin - c.held.begin;
  return c.voxels.row(at.y, at.z) + at.x;
}

std::unique_ptr<SlabBlender> BlenderPool::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) {
    idle_.reserve(++made_);  // so that giving back cannot fail
    return std::make_unique<SlabBlender>();
  }
  std::unique_ptr<SlabBlender> blender = std::move(idle_.back());
  idle_.pop_back();
  return blender;
}

void BlenderPool::give_back(std::unique_ptr<SlabBlender> blender) noexcept {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(blender));
}

}  // namespace spim::detail
