#include "common/overlap.hpp"

#include <algorithm>
#include <cmath>

namespace spim::alignment {

namespace {

constexpr double kLargestGuess = 0x1p40;

bool plausible(Vec3 guess) {
  return std::abs(guess.x) < kLargestGuess && std::abs(guess.y) < kLargestGuess &&
         std::abs(guess.z) < kLargestGuess;
}

IndexRange intersect(IndexRange a, IndexRange b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

}  // namespace

Overlap::Overlap(const AlignTask& task) {
  if (!plausible(task.guess_voxels)) return;
  offset_ = {std::llround(task.guess_voxels.x), std::llround(task.guess_voxels.y),
             std::llround(task.guess_voxels.z)};
  box_ = intersect(Box{{}, task.fixed->shape()}, shift(Box{{}, task.moving->shape()}, offset_));
  if (box_.empty()) return;
  std::int64_t voxels = 0;
  for (std::int64_t z = box_.begin.z; z < box_.end.z; ++z) {
    const IndexRange moving = task.moving->valid_x(z - offset_.z);
    valid_.push_back(intersect(task.fixed->valid_x(z), {moving.begin + offset_.x, moving.end + offset_.x}));
    until_.push_back(voxels += valid_.back().size());
  }
}

Index3 Overlap::draw(Draw& draw) const {
  const std::int64_t i = draw.below(until_.back());
  const auto plane = std::upper_bound(until_.begin(), until_.end(), i) - until_.begin();
  const IndexRange row = valid_[static_cast<std::size_t>(plane)];
  const std::int64_t x = row.end - (until_[static_cast<std::size_t>(plane)] - i);
  return {x, box_.begin.y + draw.below(box_.size().y), box_.begin.z + plane};
}

std::int64_t Overlap::voxels_in(const Box& window) const {
  const Box inside = intersect(window, box_);
  if (inside.empty()) return 0;
  std::int64_t per_row = 0;
  for (std::int64_t z = inside.begin.z; z < inside.end.z; ++z)
    per_row +=
        intersect(valid_[static_cast<std::size_t>(z - box_.begin.z)], {inside.begin.x, inside.end.x}).size();
  return per_row * inside.size().y;
}

}  // namespace spim::alignment
