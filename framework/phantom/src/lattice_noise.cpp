#include "lattice_noise.hpp"

namespace spim {

namespace {

constexpr float lerp(float a, float b, float t) noexcept {
  return a + t * (b - a);
}

}  // namespace

float noise_at(const Lattice& lattice, Vec3 at) noexcept {
  const LatticePoint x = lattice_point(at.x, lattice.pitch_um);
  const LatticePoint y = lattice_point(at.y, lattice.pitch_um);
  const LatticePoint z = lattice_point(at.z, lattice.pitch_um);
  float along_y[2];
  for (std::int64_t dy = 0; dy < 2; ++dy) {
    const auto value = [&](std::int64_t dx, std::int64_t dz) {
      return lattice.value(x.index + dx, y.index + dy, z.index + dz);
    };
    along_y[dy] =
        lerp(lerp(value(0, 0), value(1, 0), x.weight), lerp(value(0, 1), value(1, 1), x.weight), z.weight);
  }
  return lerp(along_y[0], along_y[1], y.weight);
}

PlaneNoise::PlaneNoise(const Lattice& lattice, const PlaneFrame& frame)
    : frame_(&frame), pitch_(lattice.pitch_um) {
  const Plane& plane = frame.plane();
  first_index_ = lattice_point(frame.y(0), pitch_).index;
  const std::int64_t knots = lattice_point(frame.y(plane.rows - 1), pitch_).index - first_index_ + 2;
  table_.resize(static_cast<std::size_t>(knots * plane.columns));
  std::vector<LatticePoint> x, z;
  for (std::int64_t j = 0; j < plane.columns; ++j) {
    x.push_back(lattice_point(frame.x(j), pitch_));
    z.push_back(lattice_point(frame.z(j), pitch_));
  }
  for (std::int64_t knot = 0; knot < knots; ++knot) {
    float* row = table_.data() + knot * plane.columns;
    const std::int64_t y = first_index_ + knot;
    float corner[4] = {};
    for (std::size_t j = 0; j < x.size(); ++j) {
      if (j == 0 || x[j].index != x[j - 1].index || z[j].index != z[j - 1].index)
        for (std::int64_t n = 0; n < 4; ++n)
          corner[n] = lattice.value(x[j].index + n % 2, y, z[j].index + n / 2);
      row[j] =
          lerp(lerp(corner[0], corner[1], x[j].weight), lerp(corner[2], corner[3], x[j].weight), z[j].weight);
    }
  }
}

PlaneNoise::Row PlaneNoise::row(std::int64_t row) const noexcept {
  const LatticePoint y = lattice_point(frame_->y(row), pitch_);
  const float* first = table_.data() + (y.index - first_index_) * frame_->plane().columns;
  return {first, first + frame_->plane().columns, y.weight};
}

}  // namespace spim
