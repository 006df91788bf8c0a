#include "pyramid_parent.hpp"

#include <cstring>

#include "halve.hpp"

namespace spim::detail {

PyramidParent::PyramidParent(const Shape& shape, ByteMeter& meter)
    : shape_(shape), meter_(&meter), missing_(shape.children) {}

PyramidParent::~PyramidParent() {
  meter_->add(-held_bytes_);
}

bool PyramidParent::merge(const Box& part, VolumeView<const std::uint16_t> child) {
  return shape_.merging == Merging::halved ? merge_halved(part, child) : merge_summed(part, child);
}

VolumeView<const std::uint16_t> PyramidParent::voxels() const noexcept {
  return as_const(dense_view(voxels_.get(), shape_.size));
}

void PyramidParent::allocate_voxels() {
  const std::int64_t voxels = count(shape_.size);
  voxels_.reset(new std::uint16_t[static_cast<std::size_t>(voxels)]);
  const std::int64_t bytes = voxels * static_cast<std::int64_t>(sizeof(std::uint16_t));
  held_bytes_ += bytes;
  meter_->add(bytes);
}

void PyramidParent::clear(const Box& part) noexcept {
  const auto all = dense_view(voxels_.get(), shape_.size);
  for (std::int64_t z = part.begin.z; z < part.end.z; ++z)
    for (std::int64_t y = part.begin.y; y < part.end.y; ++y)
      std::memset(all.row(y, z) + part.begin.x, 0,
                  static_cast<std::size_t>(part.size().x) * sizeof(std::uint16_t));
}

bool PyramidParent::merge_halved(const Box& part, VolumeView<const std::uint16_t> child) {
  // Groups lie within the child, so its first voxel is even.
  const Box own{{part.begin.x / 2, part.begin.y / 2, part.begin.z / 2}, ceil_div(part.end, {2, 2, 2})};
  bool fill = child.data != nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!fill && !voxels_) zero_parts_.push_back(own);
    if (fill && !voxels_) {
      allocate_voxels();
      for (const Box& zero : zero_parts_) clear(zero);
    } else if (!fill && voxels_) {
      clear(own);
    }
  }
  if (fill) {
    const auto all = dense_view(voxels_.get(), shape_.size);
    halve(child, {all.row(own.begin.y, own.begin.z) + own.begin.x, own.size(), all.stride_y, all.stride_z});
  }
  const std::lock_guard lock(mutex_);
  return --missing_ == 0;
}

bool PyramidParent::merge_summed(const Box& part, VolumeView<const std::uint16_t> child) {
  const std::lock_guard lock(mutex_);  // children meet in the sums
  const std::int64_t bytes = count(shape_.size) * static_cast<std::int64_t>(sizeof(std::uint32_t));
  if (child.data != nullptr) {
    if (!sums_) {
      sums_ = std::make_unique<std::uint32_t[]>(static_cast<std::size_t>(count(shape_.size)));
      held_bytes_ += bytes;
      meter_->add(bytes);
    }
    add_to_sums(child, part.begin, dense_view(sums_.get(), shape_.size));
  }
  if (--missing_ > 0) return false;
  if (sums_) {
    allocate_voxels();
    divide_sums(as_const(dense_view(sums_.get(), shape_.size)), shape_.fine_size,
                dense_view(voxels_.get(), shape_.size));
    sums_.reset();
    held_bytes_ -= bytes;
    meter_->add(-bytes);
  }
  return true;
}

}  // namespace spim::detail
