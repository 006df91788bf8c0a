#include "brick_cache.hpp"

namespace spim::detail {

namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
  return a >= 0 ? a / b : -ceil_div(-a, b);
}

}  // namespace

Index3 BrickCache::index_of(Index3 voxel) const noexcept {
  const Index3 n = settings_.brick;
  return {floor_div(voxel.x, n.x), floor_div(voxel.y - settings_.first_y, n.y), floor_div(voxel.z, n.z)};
}

std::shared_ptr<BrickCache::Brick> BrickCache::find(Index3 at) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Brick>& slot = bricks_[{at.z, at.y, at.x}];
  if (!slot) slot = std::make_shared<Brick>();
  slot->used = ++uses_;
  const std::shared_ptr<Brick> brick = slot;
  const auto bytes = static_cast<std::size_t>(count(settings_.brick)) * sizeof(std::uint16_t);
  if (bricks_.size() * bytes > static_cast<std::size_t>(settings_.bytes)) drop_oldest();
  return brick;
}

/// Unless all are in use.
void BrickCache::drop_oldest() {
  auto oldest = bricks_.end();
  for (auto i = bricks_.begin(); i != bricks_.end(); ++i)
    if (i->second.use_count() == 1 && (oldest == bricks_.end() || i->second->used < oldest->second->used))
      oldest = i;
  if (oldest == bricks_.end()) return;
  if (oldest->second->voxels) spare_.push_back(std::move(oldest->second->voxels));
  bricks_.erase(oldest);
}

BrickCache::Voxels BrickCache::buffer() {
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      Voxels voxels = std::move(spare_.back());
      spare_.pop_back();
      return voxels;
    }
  }
  return std::make_unique_for_overwrite<std::uint16_t[]>(static_cast<std::size_t>(count(settings_.brick)));
}

std::shared_ptr<BrickCache::Brick> BrickCache::loaded(Index3 at, const Box& whole) {
  const std::shared_ptr<Brick> brick = find(at);
  const std::lock_guard lock(brick->mutex);
  if (brick->voxels) return brick;
  Voxels fresh = buffer();
  volume_.read(whole, dense_view(fresh.get(), whole.size()));
  brick->voxels = std::move(fresh);
  return brick;
}

}  // namespace spim::detail
