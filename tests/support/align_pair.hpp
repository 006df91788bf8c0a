#pragma once
/// Runs an aligner on simulated tiles and compares what it says with the truth.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/simulated_tile.hpp"

namespace spim::test {

struct Samples final : ShiftSink {
  std::vector<ShiftSample> list;
  void add(const ShiftSample& sample) override { list.push_back(sample); }
};

/// A tile in memory around which nothing else is needed: 130 frames of 128 columns and 110 rows, shot noise,
/// stripes, uneven illumination.
inline SimulatedStack usual_stack(std::uint64_t seed) {
  SimulatedStack stack;
  stack.phantom.seed = seed;
  stack.frames = 130;
  stack.rows = 110;
  stack.columns = 128;
  stack.stripes = 0.2;
  stack.illumination = 0.3;
  stack.position_um = {1000.0 * static_cast<double>(seed), 500, 300};
  return stack;
}

/// The samples of one pair of tiles.
inline std::vector<ShiftSample> align_tiles(Aligner& aligner, TileView& fixed, TileView& moving, Vec3 guess,
                                            Vec3 voxel_um, std::uint64_t seed = 1) {
  AlignTask task;
  task.fixed = &fixed;
  task.moving = &moving;
  task.guess_voxels = guess;
  task.voxel_um = voxel_um;
  task.seed = seed;
  Samples samples;
  aligner.align(task, samples);
  return samples.list;
}

inline std::vector<ShiftSample> align_pair(Aligner& aligner, const TilePair& pair) {
  SimulatedTile fixed(pair.fixed), moving(pair.moving);
  return align_tiles(aligner, fixed, moving, pair.guess_voxels, fixed.voxel_um());
}

/// The largest error of a sample along any axis, voxels.
inline double error_of(const ShiftSample& sample, const TilePair& pair) {
  const Vec3 e = sample.shift - pair.error_voxels;
  return std::max({std::abs(e.x), std::abs(e.y), std::abs(e.z)});
}

inline double median(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace spim::test
