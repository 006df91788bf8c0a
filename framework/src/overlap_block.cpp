#include "spim/host/overlap_block.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace spim {

namespace {

constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();

/// A whole number of voxels and the fraction beyond it.
struct Split {
  std::int64_t whole;
  float fraction;
};

Split split(double v) noexcept {
  const double whole = std::floor(v);
  return {static_cast<std::int64_t>(whole), static_cast<float>(v - whole)};
}

/// The voxels of `box` of one tile, NaN outside its shape.
std::vector<float> read_anywhere(TileView& tile, const Box& box) {
  std::vector<float> voxels(static_cast<std::size_t>(count(box.size())), kNothing);
  const Box inside = intersect(box, {{0, 0, 0}, tile.shape()});
  if (inside.empty()) return voxels;
  const VolumeView<float> all = dense_view(voxels.data(), box.size());
  const Index3 first = inside.begin - box.begin;
  tile.read(inside, {all.row(first.y, first.z) + first.x, inside.size(), all.stride_y, all.stride_z});
  return voxels;
}

/// Interpolates along one axis, which becomes one voxel shorter: out[i] = in[i] + f·(in[i+1] − in[i]).
std::vector<float> between(const std::vector<float>& in, Index3& size, float f, double Vec3::*axis) {
  Index3 step{0, 0, 0};
  if (axis == &Vec3::x) step.x = 1;
  if (axis == &Vec3::y) step.y = 1;
  if (axis == &Vec3::z) step.z = 1;
  const Index3 to = size - step;
  std::vector<float> out(static_cast<std::size_t>(count(to)));
  const auto from = dense_view(in.data(), size);
  const auto result = dense_view(out.data(), to);
  for (std::int64_t z = 0; z < to.z; ++z)
    for (std::int64_t y = 0; y < to.y; ++y) {
      const float* a = from.row(y, z);
      const float* b = from.row(y + step.y, z + step.z) + step.x;
      float* o = result.row(y, z);
      // Not a + 0·b: the next voxel may hold no data.
      for (std::int64_t x = 0; x < to.x; ++x) o[x] = f == 0 ? a[x] : a[x] + f * (b[x] - a[x]);
    }
  size = to;
  return out;
}

}  // namespace

OverlapBlock read_overlap(TileView& fixed, TileView& moving, const Box& box, Vec3 offset) {
  OverlapBlock block;
  block.size = box.size();
  block.fixed = read_anywhere(fixed, box);
  const Split x = split(static_cast<double>(box.begin.x) - offset.x);
  const Split y = split(static_cast<double>(box.begin.y) - offset.y);
  const Split z = split(static_cast<double>(box.begin.z) - offset.z);
  const Index3 begin{x.whole, y.whole, z.whole};
  Index3 size = block.size + Index3{1, 1, 1};
  block.moving = read_anywhere(moving, {begin, begin + size});
  block.moving = between(block.moving, size, x.fraction, &Vec3::x);
  block.moving = between(block.moving, size, y.fraction, &Vec3::y);
  block.moving = between(block.moving, size, z.fraction, &Vec3::z);
  return block;
}

Box overlap_box(const TileView& fixed, const TileView& moving, Vec3 offset) {
  const Index3 shape = moving.shape();
  const auto up = [](double v) { return static_cast<std::int64_t>(std::ceil(v)); };
  const Index3 begin{up(offset.x), up(offset.y), up(offset.z)};
  Box box = intersect({{0, 0, 0}, fixed.shape()}, {begin, begin + shape});
  if (box.empty()) return {};
  const IndexRange first = common_x(fixed, moving, offset, box.begin.z);
  const IndexRange last = common_x(fixed, moving, offset, box.end.z - 1);
  // Faces are planes, so the extremes are at the ends; where one end has nothing, the other tells.
  if (!first.empty() && !last.empty()) {
    box.begin.x = std::min(first.begin, last.begin);
    box.end.x = std::max(first.end, last.end);
  }
  return box;
}

IndexRange common_x(const TileView& fixed, const TileView& moving, Vec3 offset, std::int64_t z) {
  const auto there =
      std::clamp<std::int64_t>(std::llround(static_cast<double>(z) - offset.z), 0, moving.shape().z - 1);
  const IndexRange a = fixed.valid_x(std::clamp<std::int64_t>(z, 0, fixed.shape().z - 1));
  const IndexRange b = moving.valid_x(there);
  const auto shift = static_cast<std::int64_t>(std::ceil(offset.x));
  return {std::max(a.begin, b.begin + shift), std::min(a.end, b.end + shift)};
}

double correlation(const OverlapBlock& block) noexcept {
  double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (std::size_t i = 0; i < block.fixed.size(); ++i) {
    const double a = static_cast<double>(block.fixed[i]), b = static_cast<double>(block.moving[i]);
    if (std::isnan(a) || std::isnan(b)) continue;
    ++n;
    sa += a;
    sb += b;
    saa += a * a;
    sbb += b * b;
    sab += a * b;
  }
  if (n < 8) return 0;
  const double va = saa - sa * sa / n, vb = sbb - sb * sb / n;
  return va > 0 && vb > 0 ? (sab - sa * sb / n) / std::sqrt(va * vb) : 0;
}

}  // namespace spim
