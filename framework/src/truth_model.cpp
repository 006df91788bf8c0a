#include "truth_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace spim::detail {

namespace {

constexpr double kTolerance = 1e-6;  ///< of positions along the stack, frames
/// Nearer to a voxel, a tile needs no interpolation; positions in files are rounded to 0.001 µm.
constexpr double kNoFraction = 1e-5;

/// Shear in voxels of x per column; scans that come within half a voxel of a whole shear over their depth are
/// copied.
double shear_of(const SimulatedStack& s) {
  const double shear = s.y_voxel_um * std::cos(s.tilt_degrees * std::numbers::pi / 180) / s.x_step_um;
  const double whole = std::round(shear);
  return whole >= 1 && std::abs(shear - whole) * static_cast<double>(s.columns - 1) < 0.5 ? whole : shear;
}

/// x of the tile's first voxel relative to its position: scans towards smaller x end there.
double first_x(const SimulatedStack& s) {
  return s.direction < 0 ? -static_cast<double>(s.frames - 1) * s.x_step_um : 0;
}

}  // namespace

Vec3 smallest_corner(const std::vector<TrueTile>& tiles) {
  Vec3 corner = tiles.front().nominal_um;
  for (const TrueTile& tile : tiles) {
    corner.x = std::min(corner.x, tile.nominal_um.x);
    corner.y = std::min(corner.y, tile.nominal_um.y);
    corner.z = std::min(corner.z, tile.nominal_um.z);
  }
  corner.x += first_x(tiles.front().stack);
  return corner;
}

TileModel::TileModel(const TrueTile& tile, const VolumeGrid& grid, Corrections corrections)
    : simulator_(tile.stack), phantom_(tile.stack.phantom), grid_(grid), corrections_(corrections) {
  const SimulatedStack& s = tile.stack;
  const auto place = [&](double from, double to, double pitch, std::int64_t& offset, double& fraction) {
    const double at = (to - from) / pitch;
    offset = std::llround(at);
    if (grid.interpolation == Interpolation::nearest ||
        std::abs(at - static_cast<double>(offset)) < kNoFraction)
      return;
    offset = static_cast<std::int64_t>(std::ceil(at));
    fraction = static_cast<double>(offset) - at;
  };
  place(grid.origin_um.x, tile.nominal_um.x + first_x(s), grid.voxel_um.x, offset_.x, fraction_.x);
  place(grid.origin_um.y, tile.nominal_um.y, grid.voxel_um.y, offset_.y, fraction_.y);
  place(grid.origin_um.z, tile.nominal_um.z, grid.voxel_um.z, offset_.z, fraction_.z);
  taps_ = {fraction_.x > 0, fraction_.y > 0, fraction_.z > 0};
  shear_ = shear_of(s);
  x_offset_ = s.direction < 0 ? static_cast<double>(s.frames - 1) : 0;
  const double tilt = s.tilt_degrees * std::numbers::pi / 180;
  cos_um_ = s.y_voxel_um * std::cos(tilt);
  sin_um_ = s.y_voxel_um * std::sin(tilt);
  const auto sheared = static_cast<std::int64_t>(std::ceil(shear_ * static_cast<double>(s.columns - 1)));
  bounds_ = intersect({{0, 0, 0}, grid.shape},
                      {offset_, offset_ + Index3{s.frames + sheared, s.rows, s.columns} - taps_});
}

double TileModel::frame_position(std::int64_t x, std::int64_t z) const noexcept {
  return simulator_.stack().direction * (static_cast<double>(x - offset_.x) + fraction_.x - x_offset_ -
                                         shear_ * (static_cast<double>(z - offset_.z) + fraction_.z));
}

bool TileModel::holds(Index3 local) const noexcept {
  const SimulatedStack& s = simulator_.stack();
  const double k =
      s.direction * (static_cast<double>(local.x) - x_offset_ - shear_ * static_cast<double>(local.z));
  return k >= -kTolerance && k <= static_cast<double>(s.frames - 1) + kTolerance;
}

bool TileModel::covers(Index3 voxel) const noexcept {
  if (!contains(bounds_, {voxel, voxel + Index3{1, 1, 1}})) return false;
  const Index3 p = voxel - offset_;
  // Along x and z faces are slanted; along y they are those of the bounds.
  return holds(p) && holds(p + Index3{taps_.x, 0, 0}) && holds(p + Index3{0, 0, taps_.z}) &&
         holds(p + Index3{taps_.x, 0, taps_.z});
}

std::vector<TileModel::Corner> TileModel::corners() const {
  std::vector<Corner> all;
  for (std::int64_t z = 0; z <= taps_.z; ++z)
    for (std::int64_t y = 0; y <= taps_.y; ++y)
      for (std::int64_t x = 0; x <= taps_.x; ++x)
        all.push_back({{x, y, z},
                       (x > 0 ? fraction_.x : 1 - fraction_.x) * (y > 0 ? fraction_.y : 1 - fraction_.y) *
                           (z > 0 ? fraction_.z : 1 - fraction_.z)});
  return all;
}

TileModel::Faces TileModel::faces(Index3 voxel) const noexcept {
  const SimulatedStack& s = simulator_.stack();
  const Index3 p = voxel - offset_;
  const double k = frame_position(voxel.x, voxel.z);
  const double x = std::max(0.0, std::min(k, static_cast<double>(s.frames - 1) - k));
  const auto to_face = [](std::int64_t at, double fraction, std::int64_t length) {
    const double exact = static_cast<double>(at) + fraction;
    return std::min(exact, static_cast<double>(length - 1) - exact);
  };
  const double y = to_face(p.y, fraction_.y, s.rows), z = to_face(p.z, fraction_.z, s.columns);
  // Faces of constant frame are inclined like the light sheet: neighbouring frames are s·sinθ apart.
  const double um_x = (x + 1) * s.x_step_um * sin_um_ / s.y_voxel_um, um_y = (y + 1) * s.y_voxel_um,
               um_z = (z + 1) * sin_um_;
  const double nearest = std::min({um_x, um_y, um_z});
  if (nearest == um_x) return {nearest, static_cast<std::int64_t>(x), 0};
  if (nearest == um_y) return {nearest, static_cast<std::int64_t>(y), 1};
  return {nearest, static_cast<std::int64_t>(z), 2};
}

double TileModel::light(std::int64_t frame, std::int64_t row, std::int64_t column) const noexcept {
  double factor = 1;
  if (!corrections_.illumination)
    factor *= simulator_.illumination(static_cast<double>(row), static_cast<double>(column));
  if (!corrections_.stripes)
    factor *=
        simulator_.stripes(static_cast<double>(frame), static_cast<double>(row), static_cast<double>(column));
  return factor;
}

void TileModel::evaluate(const Plane& plane, float* level, float* variance) const {
  if (taps_ == Index3{}) return evaluate_corner(plane, {}, level, variance);
  const Index3 size = plane.box.size();
  const auto voxels = static_cast<std::size_t>(size.x * size.y);
  std::vector<float> one(voxels), its(voxels);
  std::fill_n(level, voxels, 0.0F);
  std::fill_n(variance, voxels, 0.0F);
  for (const Corner& corner : corners()) {
    evaluate_corner(plane, corner.by, one.data(), its.data());
    for (std::size_t n = 0; n < voxels; ++n) {
      level[n] += static_cast<float>(corner.weight) * one[n];
      variance[n] += static_cast<float>(corner.weight * corner.weight) * its[n];
    }
  }
}

void TileModel::evaluate_corner(const Plane& plane, Index3 by, float* level, float* variance) const {
  const SimulatedStack& s = simulator_.stack();
  const Index3 offset = offset_ - by;
  const std::int64_t column = plane.z - offset.z;
  const Index3 size = plane.box.size();
  // Frame positions of the plane's voxels are a whole number plus one fraction; m counts frames towards
  // larger x.
  const double m_first =
      static_cast<double>(plane.box.begin.x - offset.x) - x_offset_ - shear_ * static_cast<double>(column);
  const auto m0 = static_cast<std::int64_t>(std::floor(m_first + kTolerance));
  const double weight = std::max(0.0, m_first - static_cast<double>(m0));
  const std::int64_t samples = size.x + 1;
  std::vector<float> tissue(static_cast<std::size_t>(samples * size.y), 0.0F);
  const ImageView<float> image{tissue.data(), size.y, samples, samples};
  if (s.content == StackContent::tissue) {
    Vec3 origin = grid_.at({static_cast<double>(offset.x), static_cast<double>(plane.box.begin.y),
                            static_cast<double>(offset.z)}) +
                  plane.shift_um;
    // The tile's voxels are a fraction of a voxel before those of the volume that they are counted by.
    origin = origin + Vec3{(static_cast<double>(by.x) - fraction_.x) * grid_.voxel_um.x,
                           (static_cast<double>(by.y) - fraction_.y) * grid_.voxel_um.y,
                           (static_cast<double>(by.z) - fraction_.z) * grid_.voxel_um.z};
    origin.x += (x_offset_ + static_cast<double>(m0)) * s.x_step_um + static_cast<double>(column) * cos_um_;
    origin.z += static_cast<double>(column) * sin_um_;
    phantom_.render({origin, 0, s.y_voxel_um, s.x_step_um, 0, 0, size.y, samples}, image);
  }
  for (std::int64_t i = 0; i < size.y; ++i) {
    const std::int64_t row = plane.box.begin.y + i - offset.y;
    for (std::int64_t n = 0; n < size.x; ++n) {
      if (!covers({plane.box.begin.x + n, plane.box.begin.y + i, plane.z})) continue;
      const std::int64_t frame = s.direction * (m0 + n), next = s.direction * (m0 + n + 1);
      const double here = s.noise.offset + image.row(i)[n] * light(frame, row, column);
      const double there =
          weight > kTolerance ? s.noise.offset + image.row(i)[n + 1] * light(next, row, column) : here;
      const double dark = corrections_.dark ? s.noise.offset : 0;
      const double sigma0 = simulator_.deviation(here), sigma1 = simulator_.deviation(there);
      level[i * size.x + n] = static_cast<float>(here + weight * (there - here) - dark);
      variance[i * size.x + n] = static_cast<float>((1 - weight) * (1 - weight) * sigma0 * sigma0 +
                                                    weight * weight * sigma1 * sigma1 + 1.0 / 12);
    }
  }
}

std::vector<float> TileModel::content(const Box& box) const {
  const Index3 size = box.size();
  std::vector<float> values(static_cast<std::size_t>(count(size)), 0.0F);
  if (simulator_.stack().content == StackContent::nothing) return values;
  for (std::int64_t z = 0; z < size.z; ++z) {
    const Vec3 origin = grid_.at({static_cast<double>(box.begin.x), static_cast<double>(box.begin.y),
                                  static_cast<double>(box.begin.z + z)});
    phantom_.render({origin, 0, grid_.voxel_um.y, grid_.voxel_um.x, 0, 0, size.y, size.x},
                    {values.data() + z * size.x * size.y, size.y, size.x, size.x});
  }
  return values;
}

TruthModel::TruthModel(const std::vector<TrueTile>& tiles, const VolumeGrid& grid, Corrections corrections) {
  for (const TrueTile& tile : tiles) tiles_.emplace_back(tile, grid, corrections);
}

namespace {

/// Sums over the tiles of a box, from which the blend is made.
class Blend {
 public:
  explicit Blend(const Box& box) : expected_{box, {}, {}, {}, {}, {}} {
    const auto voxels = static_cast<std::size_t>(count(box.size()));
    expected_.tiles.resize(voxels);
    expected_.face.resize(voxels);
    expected_.distance.resize(voxels);
    expected_.level.resize(voxels);
    expected_.variance.resize(voxels);
    weights_.resize(voxels);
    levels_.resize(voxels);
    variances_.resize(voxels);
  }

  void add(const TileModel& tile, Vec3 shift_um) {
    const Box part = intersect(expected_.box, tile.bounds());
    if (part.empty()) return;
    const Index3 size = part.size();
    std::vector<float> level(static_cast<std::size_t>(size.x * size.y)), variance(level.size());
    for (std::int64_t z = part.begin.z; z < part.end.z; ++z) {
      tile.evaluate({z, part, shift_um}, level.data(), variance.data());
      for (std::int64_t y = part.begin.y; y < part.end.y; ++y)
        for (std::int64_t x = part.begin.x; x < part.end.x; ++x) {
          if (!tile.covers({x, y, z})) continue;
          const auto n = static_cast<std::size_t>((y - part.begin.y) * size.x + x - part.begin.x);
          add_voxel({x, y, z}, tile.faces({x, y, z}), {level[n], variance[n]});
        }
    }
  }

  Expected finish() && {
    for (std::size_t n = 0; n < weights_.size(); ++n) {
      if (weights_[n] == 0) continue;
      expected_.level[n] = static_cast<float>(levels_[n] / weights_[n]);
      expected_.variance[n] = static_cast<float>(variances_[n] / (weights_[n] * weights_[n]));
    }
    return std::move(expected_);
  }

 private:
  struct Sample {
    float level, variance;
  };

  void add_voxel(Index3 voxel, const TileModel::Faces& faces, Sample sample) {
    const Index3 at = voxel - expected_.box.begin, size = expected_.box.size();
    const auto n = static_cast<std::size_t>((at.z * size.y + at.y) * size.x + at.x);
    const double weight = faces.um * faces.um;
    weights_[n] += weight;
    levels_[n] += weight * static_cast<double>(sample.level);
    variances_[n] += weight * weight * static_cast<double>(sample.variance);
    const auto distance = static_cast<std::int32_t>(faces.voxels);
    if (expected_.tiles[n] == 0 || distance < expected_.distance[n]) {
      expected_.distance[n] = distance;
      expected_.face[n] = static_cast<std::uint8_t>(faces.axis);
    }
    if (expected_.tiles[n] < 255) ++expected_.tiles[n];
  }

  Expected expected_;
  std::vector<double> weights_, levels_, variances_;
};

}  // namespace

Expected TruthModel::expect(const Box& box, const std::vector<Vec3>& shift_um) const {
  Blend blend(box);
  for (std::size_t t = 0; t < tiles_.size(); ++t) blend.add(tiles_[t], shift_um[t]);
  return std::move(blend).finish();
}

}  // namespace spim::detail
