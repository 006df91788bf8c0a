#include "support/simulated_tile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "spim/error.hpp"

namespace spim::test {

namespace {

constexpr double kDegree = std::numbers::pi / 180;

/// The step between frames that makes the shear 1.
double square_step(const SimulatedStack& stack) {
  return stack.y_voxel_um * std::cos(stack.tilt_degrees * kDegree);
}

Vec3 pitch(const SimulatedStack& stack) {
  return {stack.x_step_um, stack.y_voxel_um, stack.y_voxel_um * std::sin(stack.tilt_degrees * kDegree)};
}

}  // namespace

SimulatedTile::SimulatedTile(const SimulatedStack& stack)
    : frames_(stack.frames), rows_(stack.rows), columns_(stack.columns), voxel_um_(pitch(stack)) {
  if (std::abs(stack.x_step_um - square_step(stack)) > 1e-9 || stack.direction != 1)
    throw Error("the shear of the stack is not 1; use tile_pair()");
  pixels_.resize(static_cast<std::size_t>(frames_ * rows_ * columns_));
  const StackSimulator simulator(stack);
  std::vector<std::uint16_t> frame(static_cast<std::size_t>(rows_ * columns_));
  for (std::int64_t k = 0; k < frames_; ++k) {
    simulator.expose(k, {}, {frame.data(), rows_, columns_, columns_});
    for (std::int64_t i = 0; i < rows_; ++i)
      for (std::int64_t j = 0; j < columns_; ++j)
        pixels_[static_cast<std::size_t>((k * columns_ + j) * rows_ + i)] =
            frame[static_cast<std::size_t>(i * columns_ + j)];
  }
}

void SimulatedTile::read(const Box& box, VolumeView<float> out) {
  if (!contains({{}, shape()}, box) || out.size != box.size())
    throw Error("a box outside the tile was asked for; stay inside shape()");
  for (std::int64_t z = box.begin.z; z < box.end.z; ++z)
    for (std::int64_t x = box.begin.x; x < box.end.x; ++x) {
      const std::int64_t k = x - z;
      float* to = out.data + (z - box.begin.z) * out.stride_z + x - box.begin.x;
      const std::uint16_t* from =
          k < 0 || k >= frames_ ? nullptr : &pixels_[static_cast<std::size_t>((k * columns_ + z) * rows_)];
      for (std::int64_t y = box.begin.y; y < box.end.y; ++y, to += out.stride_y)
        *to = from ? static_cast<float>(from[y]) : std::numeric_limits<float>::quiet_NaN();
    }
}

TilePair tile_pair(const SimulatedStack& common, Vec3 away_voxels, Vec3 error_voxels) {
  TilePair pair{common, common, away_voxels, error_voxels};
  pair.fixed.x_step_um = pair.moving.x_step_um = square_step(common);
  const Vec3 voxel = pitch(pair.fixed);
  const Vec3 truth = away_voxels + error_voxels;
  pair.moving.position_um =
      common.position_um + Vec3{truth.x * voxel.x, truth.y * voxel.y, truth.z * voxel.z};
  pair.moving.tile = common.tile + 1;
  return pair;
}

}  // namespace spim::test
