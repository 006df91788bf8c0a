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

Vec3 Overlap::thickness() const noexcept {
  if (empty()) return {};
  const Index3 n = box_.size();
  std::int64_t planes = 0;
  for (const IndexRange& row : valid_) planes += !row.empty();
  return {static_cast<double>(until_.back()) / static_cast<double>(planes), static_cast<double>(n.y),
          static_cast<double>(n.z)};
}

double Overlap::slant() const noexcept {
  const auto held = [](const IndexRange& row) { return !row.empty(); };
  const auto first = std::find_if(valid_.begin(), valid_.end(), held);
  const auto last = std::find_if(valid_.rbegin(), valid_.rend(), held);
  const auto planes = static_cast<double>(last.base() - first) - 1;
  return first == valid_.end() || planes < 1 ? 0 : static_cast<double>(last->begin - first->begin) / planes;
}

void Overlap::cut(Patch& patch, std::int64_t around) const {
  const Index3 n = patch.box.size();
  for (std::int64_t z = patch.box.begin.z; z < patch.box.end.z; ++z) {
    if (z < box_.begin.z || z >= box_.end.z) continue;
    const IndexRange row = valid_[static_cast<std::size_t>(z - box_.begin.z)];
    IndexRange& valid = patch.valid[static_cast<std::size_t>(z - patch.box.begin.z)];
    const IndexRange kept = row.empty() ? IndexRange{valid.begin, valid.begin}
                                        : intersect(valid, {row.begin - around, row.end + around});
    if (kept == valid) continue;
    for (std::int64_t y = 0; y < n.y; ++y) {
      float* const voxels = patch.voxels.get() + ((z - patch.box.begin.z) * n.y + y) * n.x;
      std::fill(voxels, voxels + std::clamp<std::int64_t>(kept.begin - patch.box.begin.x, 0, n.x), 0.0F);
      std::fill(voxels + std::clamp<std::int64_t>(kept.end - patch.box.begin.x, 0, n.x), voxels + n.x, 0.0F);
    }
    valid = kept;
  }
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
