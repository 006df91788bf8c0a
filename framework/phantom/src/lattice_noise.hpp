#pragma once
/// Smooth random variation: values at the points of a lattice, blended in between.

#include <cstdint>
#include <vector>

#include "phantom/hash.hpp"
#include "plane_frame.hpp"

namespace spim {

/// Which lattice. Indices are folded into [0, period) when period > 0.
struct Lattice {
  std::uint64_t key = 0;
  double pitch_um = 1;
  std::int64_t period = 0;

  std::int64_t fold(std::int64_t i) const noexcept {
    return period > 0 ? ((i % period) + period) % period : i;
  }
  float value(std::int64_t x, std::int64_t y, std::int64_t z) const noexcept {
    return unit_float(grid_key(key, fold(x), fold(y), fold(z)));
  }
};

/// Weight that goes from 0 to 1 with zero slope at both ends, so that the blend has no creases.
constexpr float ease(float t) noexcept {
  return t * t * (3 - 2 * t);
}

/// A position on a lattice axis: the point before it and the weight of the next one.
struct LatticePoint {
  std::int64_t index = 0;
  float weight = 0;
};
inline LatticePoint lattice_point(double at, double pitch) noexcept {
  const double position = at / pitch;
  const double below = std::floor(position);
  return {static_cast<std::int64_t>(below), ease(static_cast<float>(position - below))};
}

/// Noise in [0, 1] at one point.
float noise_at(const Lattice& lattice, Vec3 at) noexcept;

/// Noise on a plane. Along y only whole lattice rows are computed, once for each column; a row of the plane
/// is a blend of two of them.
class PlaneNoise {
 public:
  PlaneNoise(const Lattice& lattice, const PlaneFrame& frame);

  /// The two lattice rows around row `row` of the plane (values for each column) and the weight of the
  /// second.
  struct Row {
    const float* first;
    const float* second;
    float weight;
  };
  Row row(std::int64_t row) const noexcept;

 private:
  const PlaneFrame* frame_;
  double pitch_;
  std::int64_t first_index_;
  std::vector<float> table_;
};

}  // namespace spim
