#include <algorithm>
#include <limits>
#include <memory>

#include "brick_cache.hpp"
#include "spim/host/align_tiles.hpp"

namespace spim {

namespace {

/// Bricks are read frame by frame, so they are thin along z, across which frames slant, and hold all rows
/// that are wanted: a row of the camera is read whole, however little of it is used.
detail::BrickCache::Settings bricks_for(const KeptPart& kept) {
  constexpr std::int64_t kDepth = 64;         // a common chunk
  constexpr std::int64_t kLargest = 8 << 20;  // voxels
  const std::int64_t x = kept.columns < 2 * kDepth ? 2 * kDepth : 4 * kDepth;
  const std::int64_t first = kept.rows.begin / kDepth * kDepth;
  const std::int64_t blocks = ceil_div(kept.rows.end - first, kDepth);
  const std::int64_t parts = ceil_div(blocks * kDepth * kDepth * x, kLargest);
  return {{x, ceil_div(blocks, parts) * kDepth, kDepth}, first, kept.bytes};
}

}  // namespace

VolumeTileView::VolumeTileView(std::shared_ptr<const VolumeSource> volume, const ValidRegion& region,
                               KeptPart kept)
    : volume_(std::move(volume)), region_(region), kept_(kept) {}

VolumeTileView::~VolumeTileView() = default;

void VolumeTileView::expect(std::int64_t voxels) {
  // Half an overlap's worth of windows, with the frames that slant through them, is as much reading.
  if (cache_ || kept_.bytes <= 0 || kept_.rows.empty() || 2 * static_cast<double>(voxels) < kept_.voxels)
    return;
  cache_ = std::make_unique<detail::BrickCache>(*volume_, bricks_for(kept_));
}

void VolumeTileView::read(const Box& box, VolumeView<float> out) {
  if (box.empty()) return;
  if (cache_) {
    cache_->read(box, [&](const Box& part, VolumeView<const std::uint16_t> voxels) {
      const Index3 at = part.begin - box.begin;
      convert(voxels, part, {out.row(at.y, at.z) + at.x, part.size(), out.stride_y, out.stride_z});
    });
    return;
  }
  // Large windows in slabs of whole chunks, so that integers and floats of all of it are not held at once.
  constexpr std::int64_t kAtOnce = 2 << 20, kDepth = 64;
  const bool large = count(box.size()) > kAtOnce;
  std::unique_ptr<std::uint16_t[]> raw;
  for (Box slab = box; slab.begin.z < box.end.z; slab.begin.z = slab.end.z) {
    slab.end.z = large ? std::min((slab.begin.z / kDepth + 1) * kDepth, box.end.z) : box.end.z;
    const Index3 size = slab.size();
    raw = std::make_unique_for_overwrite<std::uint16_t[]>(static_cast<std::size_t>(count(size)));
    volume_->read(slab, dense_view(raw.get(), size));
    convert(as_const(dense_view(raw.get(), size)), slab,
            {out.row(0, slab.begin.z - box.begin.z), size, out.stride_y, out.stride_z});
  }
}

void VolumeTileView::convert(VolumeView<const std::uint16_t> raw, const Box& box,
                             VolumeView<float> out) const {
  constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();
  const Index3 size = box.size();
  for (std::int64_t z = 0; z < size.z; ++z) {
    const IndexRange valid = region_.valid_x(box.begin.z + z);
    const std::int64_t begin = std::clamp<std::int64_t>(valid.begin - box.begin.x, 0, size.x);
    const std::int64_t end = std::clamp<std::int64_t>(valid.end - box.begin.x, begin, size.x);
    for (std::int64_t y = 0; y < size.y; ++y) {
      const std::uint16_t* from = raw.row(y, z);
      float* to = out.row(y, z);
      std::fill(to, to + begin, kNothing);
      for (std::int64_t x = begin; x < end; ++x) to[x] = static_cast<float>(from[x]);
      std::fill(to + end, to + size.x, kNothing);
    }
  }
}

}  // namespace spim
