#pragma once
/// Triples and boxes in x, y, z order, and ranges. Everything here is plain data and may cross the plugin
/// boundary.

#include <algorithm>
#include <cstdint>

namespace spim {

/// Voxel counts or indices, in x, y, z order.
struct Index3 {
  std::int64_t x = 0;
  std::int64_t y = 0;
  std::int64_t z = 0;

  friend constexpr bool operator==(const Index3&, const Index3&) = default;
  friend constexpr Index3 operator+(Index3 a, Index3 b) noexcept { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend constexpr Index3 operator-(Index3 a, Index3 b) noexcept { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
};

/// Lengths, positions or factors, in x, y, z order. Micrometres unless a name says otherwise.
struct Vec3 {
  double x = 0;
  double y = 0;
  double z = 0;

  friend constexpr bool operator==(const Vec3&, const Vec3&) = default;
  friend constexpr Vec3 operator+(Vec3 a, Vec3 b) noexcept { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend constexpr Vec3 operator-(Vec3 a, Vec3 b) noexcept { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
};

/// Number of voxels of a volume of shape `v`; the caller has made sure that it does not overflow.
constexpr std::int64_t count(Index3 v) noexcept {
  return v.x * v.y * v.z;
}

/// `a` divided by `b`, rounded up; a ≥ 0, b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) noexcept {
  return a / b + (a % b != 0);
}
constexpr Index3 ceil_div(Index3 a, Index3 b) noexcept {
  return {ceil_div(a.x, b.x), ceil_div(a.y, b.y), ceil_div(a.z, b.z)};
}

constexpr Index3 min(Index3 a, Index3 b) noexcept {
  return {std::min(a.x, b.x), std::min(a.y, b.y), std::min(a.z, b.z)};
}
constexpr Index3 max(Index3 a, Index3 b) noexcept {
  return {std::max(a.x, b.x), std::max(a.y, b.y), std::max(a.z, b.z)};
}

/// Indices begin ≤ i < end; empty when end ≤ begin.
struct IndexRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  constexpr std::int64_t size() const noexcept { return end > begin ? end - begin : 0; }
  constexpr bool empty() const noexcept { return end <= begin; }
  friend constexpr bool operator==(const IndexRange&, const IndexRange&) = default;
};

/// Half-open box of voxels: begin ≤ i < end on each axis. Empty when any end ≤ begin.
struct Box {
  Index3 begin;
  Index3 end;

  constexpr Index3 size() const noexcept { return end - begin; }
  constexpr bool empty() const noexcept { return end.x <= begin.x || end.y <= begin.y || end.z <= begin.z; }
  friend constexpr bool operator==(const Box&, const Box&) = default;
};

constexpr Box intersect(const Box& a, const Box& b) noexcept {
  return {max(a.begin, b.begin), min(a.end, b.end)};
}
constexpr Box shift(const Box& a, Index3 by) noexcept {
  return {a.begin + by, a.end + by};
}
constexpr bool contains(const Box& outer, const Box& inner) noexcept {
  return inner.empty() || (intersect(outer, inner) == inner);
}

}  // namespace spim
