#include "blend.hpp"

#include <algorithm>
#include <cmath>

#include "region_span.hpp"
#include "spim/clones.hpp"

namespace spim::detail {

FaceDistances::FaceDistances(const ValidRegion& region, Vec3 voxel_um)
    : region_(region), pitch_um_(voxel_um) {
  // The oblique faces are planes of constant X/vx − shear·Z/vz; one step of x moves by 1/|gradient| across
  // them.
  pitch_um_.x = 1 / std::hypot(1 / voxel_um.x, region.shear / voxel_um.z);
}

FaceDistance FaceDistances::in_plane(double x_fraction, double z) const noexcept {
  const WRange w = w_range(region_);
  const double first = w.first + region_.shear * z - x_fraction - 1;
  const double last = w.last + region_.shear * z - x_fraction + 1;
  FaceDistance d;
  d.cap = static_cast<float>(std::min(z + 1, static_cast<double>(region_.shape.z) - z) * pitch_um_.z);
  d.pitch = static_cast<float>(pitch_um_.x);
  d.first = static_cast<std::int64_t>(std::floor(first));
  d.last = static_cast<std::int64_t>(std::ceil(last));
  d.first_fraction = static_cast<float>(static_cast<double>(d.first) - first);
  d.last_fraction = static_cast<float>(last - static_cast<double>(d.last));
  return d;
}

float FaceDistances::to_y_face(double y) const noexcept {
  return static_cast<float>(std::min(y + 1, static_cast<double>(region_.shape.y) - y) * pitch_um_.y);
}

namespace {

/// A row's distances from its first voxel on: whole numbers that fit the vector lanes.
struct Ramp {
  std::int32_t from_first;
  std::int32_t to_last;
  float first_fraction, last_fraction, pitch, cap;
};

Ramp ramp_from(const FaceDistance& d, std::int64_t x) noexcept {
  return {static_cast<std::int32_t>(x - d.first),
          static_cast<std::int32_t>(d.last - x),
          d.first_fraction,
          d.last_fraction,
          d.pitch,
          d.cap};
}

inline float weight_at(const Ramp& r, std::int32_t i) noexcept {
  const float rise = (static_cast<float>(r.from_first + i) + r.first_fraction) * r.pitch;
  const float fall = (static_cast<float>(r.to_last - i) + r.last_fraction) * r.pitch;
  const float nearest = std::min(std::min(rise, fall), r.cap);
  return nearest * nearest;
}

SPIM_CLONES void add_u16(const std::uint16_t* __restrict voxels, const Ramp ramp, const RowSums& sums) {
  float* const __restrict weighted = sums.weighted;
  float* const __restrict weights = sums.weights;
  const auto count = static_cast<std::int32_t>(sums.count);
  for (std::int32_t i = 0; i < count; ++i) {
    const float w = weight_at(ramp, i);
    weighted[i] += w * static_cast<float>(voxels[i]);
    weights[i] += w;
  }
}

SPIM_CLONES void add_f32(const float* __restrict voxels, const Ramp ramp, const RowSums& sums) {
  float* const __restrict weighted = sums.weighted;
  float* const __restrict weights = sums.weights;
  const auto count = static_cast<std::int32_t>(sums.count);
  for (std::int32_t i = 0; i < count; ++i) {
    const float w = weight_at(ramp, i);
    weighted[i] += w * voxels[i];
    weights[i] += w;
  }
}

SPIM_CLONES void blend_two_u16(const std::uint16_t* __restrict a, const Ramp ramp_a,
                               const std::uint16_t* __restrict b, const Ramp ramp_b, std::int32_t count,
                               std::uint16_t* __restrict out) {
  for (std::int32_t i = 0; i < count; ++i) {
    const float wa = weight_at(ramp_a, i);
    const float wb = weight_at(ramp_b, i);
    const float mean = (wa * static_cast<float>(a[i]) + wb * static_cast<float>(b[i])) / (wa + wb);
    out[i] = static_cast<std::uint16_t>(static_cast<std::int32_t>(mean + 0.5f));
  }
}

SPIM_CLONES void divide(const float* __restrict weighted, const float* __restrict weights, std::int64_t count,
                        std::uint16_t* __restrict out) {
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<std::uint16_t>(static_cast<std::int32_t>(weighted[i] / weights[i] + 0.5f));
}

SPIM_CLONES void round_to_u16(const float* __restrict values, std::int64_t count,
                              std::uint16_t* __restrict out) {
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<std::uint16_t>(static_cast<std::int32_t>(values[i] + 0.5f));
}

SPIM_CLONES void sum_taps(const RowTaps& taps, float x_fraction, std::int64_t count, float* __restrict out) {
  const std::uint16_t* const a = taps.row[0];
  const std::uint16_t* const b = taps.row[1];
  const std::uint16_t* const c = taps.row[2];
  const std::uint16_t* const d = taps.row[3];
  const float wa = taps.weight[0], wb = taps.weight[1], wc = taps.weight[2], wd = taps.weight[3];
  const std::int64_t next = x_fraction > 0 ? 1 : 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float here = wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
    const float there = wa * a[i + next] + wb * b[i + next] + wc * c[i + next] + wd * d[i + next];
    out[i] = here + x_fraction * (there - here);
  }
}

}  // namespace

void blend_two(const RowOfTile& a, const RowOfTile& b, std::int64_t count, std::uint16_t* out) {
  blend_two_u16(a.voxels, ramp_from(a.distance, a.x), b.voxels, ramp_from(b.distance, b.x),
                static_cast<std::int32_t>(count), out);
}

void accumulate(const std::uint16_t* voxels, const FaceDistance& distance, const RowSums& sums) {
  add_u16(voxels, ramp_from(distance, sums.x), sums);
}

void accumulate(const float* voxels, const FaceDistance& distance, const RowSums& sums) {
  add_f32(voxels, ramp_from(distance, sums.x), sums);
}

void finish_mean(const float* weighted, const float* weights, std::int64_t count, std::uint16_t* out) {
  divide(weighted, weights, count, out);
}

void round_row(const float* values, std::int64_t count, std::uint16_t* out) {
  round_to_u16(values, count, out);
}

void interpolate_row(const RowTaps& taps, float x_fraction, std::int64_t count, float* out) {
  sum_taps(taps, x_fraction, count, out);
}

}  // namespace spim::detail
