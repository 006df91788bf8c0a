#include "spim/host/pyramid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "halve.hpp"
#include "pyramid_parent.hpp"
#include "spim/error.hpp"

namespace spim {

using detail::Merging;

namespace {

constexpr Index3 twice(Index3 v) noexcept {
  return v + v;
}

constexpr ChunkAddress parent_of(const ChunkAddress& child) noexcept {
  return {child.level + 1, {child.index.x / 2, child.index.y / 2, child.index.z / 2}, child.channel};
}

/// Voxels of chunk `address` in its level.
Box voxels_of(const VolumeSpec& spec, const ChunkAddress& address) noexcept {
  const Index3& i = address.index;
  const Index3 begin{i.x * spec.chunk.x, i.y * spec.chunk.y, i.z * spec.chunk.z};
  return {begin, min(begin + spec.chunk, level_shape(spec.shape, address.level))};
}

/// How the chunks of `level` get the voxels of the finer one: groups straddle chunks along axes with odd
/// chunks.
Merging merging_of(const VolumeSpec& spec, std::int32_t level) noexcept {
  const Index3 fine = level_shape(spec.shape, level - 1);
  const auto straddle = [](std::int64_t chunk, std::int64_t extent) {
    return chunk % 2 != 0 && chunk < extent;
  };
  const bool any =
      straddle(spec.chunk.x, fine.x) || straddle(spec.chunk.y, fine.y) || straddle(spec.chunk.z, fine.z);
  return any ? Merging::summed : Merging::halved;
}

detail::PyramidParent::Shape parent_shape(const VolumeSpec& spec, const ChunkAddress& address) noexcept {
  const Index3 fine_shape = level_shape(spec.shape, address.level - 1);
  const Box box = voxels_of(spec, address);
  const Index3 fine_size = min(twice(box.end), fine_shape) - twice(box.begin);
  return {box.size(), fine_size, static_cast<int>(count(ceil_div(fine_size, spec.chunk))),
          merging_of(spec, address.level)};
}

}  // namespace

std::int64_t parent_bytes(const VolumeSpec& spec, std::int32_t level) noexcept {
  const std::int64_t voxels = count(min(spec.chunk, level_shape(spec.shape, level)));
  const bool summed = merging_of(spec, level) == Merging::summed;
  return voxels * static_cast<std::int64_t>(summed ? sizeof(std::uint32_t) : sizeof(std::uint16_t));
}

Pyramid::Pyramid(VolumeWriter& writer, const VolumeSpec& spec, std::int32_t channel, Choice makes)
    : writer_(&writer),
      spec_(spec),
      channel_(channel),
      makes_(std::move(makes)),
      meter_(std::make_unique<detail::ByteMeter>()) {
  if (spec.shape.x < 1 || spec.shape.y < 1 || spec.shape.z < 1 || spec.chunk.x < 1 || spec.chunk.y < 1 ||
      spec.chunk.z < 1)
    throw Error(fmt::format("a volume of {} x {} x {} voxels in chunks of {} x {} x {} cannot be written",
                            spec.shape.x, spec.shape.y, spec.shape.z, spec.chunk.x, spec.chunk.y,
                            spec.chunk.z));
  constexpr std::int32_t kMostLevels = 32;
  if (spec.levels < 1 || spec.levels > kMostLevels)
    throw Error(
        fmt::format("a pyramid has 1 to {} levels, not {}; give another --levels", kMostLevels, spec.levels));
}

Pyramid::~Pyramid() = default;

std::int64_t Pyramid::peak_bytes() const noexcept {
  return meter_->peak();
}

std::size_t Pyramid::AddressHash::operator()(const ChunkAddress& a) const noexcept {
  std::uint64_t h = static_cast<std::uint64_t>(a.level);
  for (const std::int64_t part : {a.index.x, a.index.y, a.index.z})
    h = (h ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15u;
  return static_cast<std::size_t>(h ^ (h >> 32));
}

void Pyramid::add(Index3 index, VolumeView<const std::uint16_t> voxels) {
  ChunkAddress address{0, index, channel_};
  std::shared_ptr<Parent> done;  // owns `voxels` from the second round on
  for (;;) {
    if (voxels.data != nullptr && detail::all_zero(voxels)) voxels.data = nullptr;
    write(address, voxels);
    if (address.level + 1 >= spec_.levels) return;
    if (makes_ && !makes_(parent_of(address))) return;
    done = merge_into_parent(address, voxels);
    if (!done) return;
    address = parent_of(address);
    voxels = done->voxels();
  }
}

void Pyramid::write(const ChunkAddress& address, VolumeView<const std::uint16_t> voxels) {
  if (voxels.data == nullptr) {
    writer_->write_zero(address);
    zero_chunks_.fetch_add(1, std::memory_order_relaxed);
  } else {
    writer_->write(address, voxels);
  }
  chunks_.fetch_add(1, std::memory_order_relaxed);
}

std::shared_ptr<Pyramid::Parent> Pyramid::parent_at(const ChunkAddress& address) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Parent>& slot = parents_[address];
  if (!slot) slot = std::make_shared<Parent>(parent_shape(spec_, address), *meter_);
  return slot;
}

std::shared_ptr<Pyramid::Parent> Pyramid::merge_into_parent(const ChunkAddress& child,
                                                            VolumeView<const std::uint16_t> voxels) {
  const ChunkAddress address = parent_of(child);
  const Index3 first = twice(voxels_of(spec_, address).begin);
  const std::shared_ptr<Parent> parent = parent_at(address);
  if (!parent->merge(shift(voxels_of(spec_, child), Index3{} - first), voxels)) return nullptr;
  const std::lock_guard lock(mutex_);
  parents_.erase(address);
  return parent;
}

StoredParent::StoredParent(VolumeWriter& writer, const VolumeSpec& spec, const ChunkAddress& address)
    : meter_(std::make_unique<detail::ByteMeter>()),
      parent_(std::make_unique<detail::PyramidParent>(parent_shape(spec, address), *meter_)) {
  const Index3 first = twice(address.index);
  const Index3 voxel = twice(voxels_of(spec, address).begin);
  const Index3 grid = ceil_div(level_shape(spec.shape, address.level - 1), spec.chunk);
  const Index3 end = min(first + Index3{2, 2, 2}, grid);
  std::vector<std::uint16_t> buffer(static_cast<std::size_t>(count(spec.chunk)));
  for (std::int64_t z = first.z; z < end.z; ++z)
    for (std::int64_t y = first.y; y < end.y; ++y)
      for (std::int64_t x = first.x; x < end.x; ++x) {
        const ChunkAddress child{address.level - 1, {x, y, z}, address.channel};
        const Box box = voxels_of(spec, child);
        const auto view = dense_view(buffer.data(), box.size());
        writer.read_back(child, view);
        VolumeView<const std::uint16_t> voxels = as_const(view);
        if (detail::all_zero(voxels)) voxels.data = nullptr;
        parent_->merge(shift(box, Index3{} - voxel), voxels);
      }
}

StoredParent::~StoredParent() = default;

VolumeView<const std::uint16_t> StoredParent::voxels() const noexcept {
  return parent_->voxels();
}

}  // namespace spim
