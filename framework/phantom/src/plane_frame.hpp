#pragma once
/// A plane with everything worked out that drawing on it needs.

#include <cmath>
#include <numbers>
#include <vector>

#include "phantom/plane.hpp"

namespace spim {

/// Closed interval of integers; empty when last < first.
struct Span {
  std::int64_t first = 0;
  std::int64_t last = -1;
  std::int64_t size() const noexcept { return last < first ? 0 : last - first + 1; }
};

/// Coordinates on a plane: a along the columns, b along the rows (y), h along the normal; µm from the plane's
/// origin. Positions of rows and columns are computed from their absolute numbers, so that a part of a plane
/// gets bit for bit the values of the whole.
class PlaneFrame {
 public:
  explicit PlaneFrame(const Plane& plane)
      : plane_(plane),
        cos_(std::cos(plane.tilt_degrees * std::numbers::pi / 180)),
        sin_(plane.tilt_degrees == 0 ? 0 : std::sin(plane.tilt_degrees * std::numbers::pi / 180)) {
    a_.reserve(static_cast<std::size_t>(plane.columns));
    for (std::int64_t j = 0; j < plane.columns; ++j)
      a_.push_back(static_cast<double>(plane.first_column + j) * plane.column_um);
    b_.reserve(static_cast<std::size_t>(plane.rows));
    for (std::int64_t i = 0; i < plane.rows; ++i)
      b_.push_back(static_cast<double>(plane.first_row + i) * plane.row_um);
  }

  const Plane& plane() const noexcept { return plane_; }
  double a(std::int64_t column) const noexcept { return a_[static_cast<std::size_t>(column)]; }
  double b(std::int64_t row) const noexcept { return b_[static_cast<std::size_t>(row)]; }
  double x(std::int64_t column) const noexcept { return plane_.origin_um.x + a(column) * cos_; }
  double y(std::int64_t row) const noexcept { return plane_.origin_um.y + b(row); }
  double z(std::int64_t column) const noexcept { return plane_.origin_um.z + a(column) * sin_; }

  /// A position relative to the origin, or a direction, in (a, b, h).
  Vec3 turn(Vec3 v) const noexcept { return {v.x * cos_ + v.z * sin_, v.y, v.z * cos_ - v.x * sin_}; }
  /// A position in space in (a, b, h).
  Vec3 locate(Vec3 at) const noexcept { return turn(at - plane_.origin_um); }

  /// Columns of the plane with a in [low, high], counted from its first one.
  Span columns(double low, double high) const noexcept {
    return clip(low / plane_.column_um, high / plane_.column_um, plane_.first_column, plane_.columns);
  }
  Span rows(double low, double high) const noexcept {
    return clip(low / plane_.row_um, high / plane_.row_um, plane_.first_row, plane_.rows);
  }

 private:
  static Span clip(double low, double high, std::int64_t first, std::int64_t size) noexcept {
    const double begin = std::max(std::ceil(low), static_cast<double>(first));
    const double end = std::min(std::floor(high), static_cast<double>(first + size - 1));
    if (!(end >= begin)) return {};
    return {static_cast<std::int64_t>(begin) - first, static_cast<std::int64_t>(end) - first};
  }

  Plane plane_;
  double cos_;
  double sin_;
  std::vector<double> a_;
  std::vector<double> b_;
};

/// Calls visit(gx, gy, gz) for every cell of a grid of pitch `pitch` that comes within `reach` of the plane,
/// in an order that does not depend on which part of the plane is wanted.
template <class Visit>
void for_each_grid_cell(const PlaneFrame& frame, double pitch, double reach, const Visit& visit) {
  const Plane& plane = frame.plane();
  if (plane.rows < 1 || plane.columns < 1) return;
  const auto cell = [pitch](double at) { return static_cast<std::int64_t>(std::floor(at / pitch)); };
  const std::int64_t last = plane.columns - 1;
  const double x0 = frame.x(0), x1 = frame.x(last), z0 = frame.z(0), z1 = frame.z(last);
  const std::int64_t y_begin = cell(frame.y(0) - reach), y_end = cell(frame.y(plane.rows - 1) + reach);
  for (std::int64_t gz = cell(z0 - reach); gz <= cell(z1 + reach); ++gz) {
    // The part of the plane's line in (x, z) that lies within reach of this layer of cells.
    double from = 0, to = 1;
    if (z1 > z0) {
      from = std::clamp((static_cast<double>(gz) * pitch - reach - z0) / (z1 - z0), 0.0, 1.0);
      to = std::clamp((static_cast<double>(gz + 1) * pitch + reach - z0) / (z1 - z0), 0.0, 1.0);
    }
    const std::int64_t x_begin = cell(x0 + from * (x1 - x0) - reach),
                       x_end = cell(x0 + to * (x1 - x0) + reach);
    for (std::int64_t gx = x_begin; gx <= x_end; ++gx)
      for (std::int64_t gy = y_begin; gy <= y_end; ++gy) visit(gx, gy, gz);
  }
}

}  // namespace spim
