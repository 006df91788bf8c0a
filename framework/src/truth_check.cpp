#include "spim/host/truth_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "misplacement.hpp"
#include "phantom/hash.hpp"
#include "spim/error.hpp"
#include "truth_model.hpp"

namespace spim {

using detail::Expected;
using detail::TruthModel;
using detail::VolumeGrid;

namespace {

constexpr Index3 kBlock{64, 64, 16};
constexpr std::int64_t kBatch = 256;  ///< blocks whose sums are kept before they are added in order
constexpr std::size_t kDistances = 6;
constexpr std::array<std::int64_t, kDistances> kDistanceFrom = {0, 1, 2, 4, 8, 16};
constexpr std::int64_t kSeamVoxels = 2000;  ///< fewer say nothing about a seam

struct SeamSums {
  std::int64_t voxels = 0;
  double error = 0, level = 0;
};

/// Sums over voxels for one hypothesis of where the tiles are.
struct Sums {
  double error = 0, error_2 = 0, sigmas_2 = 0, truth = 0, truth_2 = 0, volume = 0, volume_2 = 0, product = 0;

  void add(double v, double t, double variance) {
    const double e = v - t;
    error += e;
    error_2 += e * e;
    sigmas_2 += e * e / variance;
    truth += t;
    truth_2 += t * t;
    volume += v;
    volume_2 += v * v;
    product += v * t;
  }
  void add(const Sums& o) {
    error += o.error;
    error_2 += o.error_2;
    sigmas_2 += o.sigmas_2;
    truth += o.truth;
    truth_2 += o.truth_2;
    volume += o.volume;
    volume_2 += o.volume_2;
    product += o.product;
  }
  double correlation(double n) const {
    const double vv = volume_2 - volume * volume / n, tt = truth_2 - truth * truth / n;
    return vv > 0 && tt > 0 ? (product - volume * truth / n) / std::sqrt(vv * tt) : 0;
  }
};

struct BlockSums {
  std::int64_t voxels = 0, covered = 0, missing = 0, extra = 0;
  Sums nominal, moved;
  std::array<std::array<SeamSums, kDistances>, 3> seams{};

  void add(const BlockSums& o) {
    voxels += o.voxels;
    covered += o.covered;
    missing += o.missing;
    extra += o.extra;
    nominal.add(o.nominal);
    moved.add(o.moved);
    for (std::size_t axis = 0; axis < 3; ++axis)
      for (std::size_t d = 0; d < kDistances; ++d) {
        seams[axis][d].voxels += o.seams[axis][d].voxels;
        seams[axis][d].error += o.seams[axis][d].error;
        seams[axis][d].level += o.seams[axis][d].level;
      }
  }
};

std::size_t distance_bin(std::int64_t distance) {
  std::size_t bin = 0;
  while (bin + 1 < kDistances && distance >= kDistanceFrom[bin + 1]) ++bin;
  return bin;
}

/// Everything that comparing one block needs.
struct Comparison {
  const TruthModel& model;
  VolumeReader& volume;
  std::vector<Vec3> nowhere;  ///< no shift, for each tile
  std::vector<Vec3> shift_um;
};

/// Levels below so many standard deviations may be 0 by chance alone.
constexpr double kNoise = 5;

BlockSums compare(const Comparison& c, const Box& box) {
  const Index3 size = box.size();
  std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(size)));
  c.volume.read(0, box, dense_view(voxels.data(), size));
  const Expected nominal = c.model.expect(box, c.nowhere);
  const Expected moved = c.model.expect(box, c.shift_um);
  BlockSums sums;
  sums.voxels = count(size);
  for (std::size_t n = 0; n < voxels.size(); ++n) {
    const double v = voxels[n];
    if (nominal.tiles[n] == 0) {
      sums.extra += voxels[n] != 0;
      continue;
    }
    ++sums.covered;
    const auto expected = static_cast<double>(nominal.level[n]),
               variance = static_cast<double>(nominal.variance[n]);
    sums.missing += voxels[n] == 0 && expected > kNoise * std::sqrt(variance);
    sums.nominal.add(v, expected, variance);
    const auto level = static_cast<double>(moved.level[n]);
    sums.moved.add(v, level, static_cast<double>(moved.variance[n]));
    if (moved.tiles[n] < 2) continue;
    SeamSums& seam = sums.seams[moved.face[n]][distance_bin(moved.distance[n])];
    ++seam.voxels;
    seam.error += v - level;
    seam.level += level;
  }
  return sums;
}

/// The n-th block: of a grid over the whole volume, or a random one.
Box block_at(Index3 shape, const TruthCheckSettings& settings, std::int64_t n) {
  const Index3 size = min(kBlock, shape);
  if (settings.blocks == 0) {
    const Index3 grid = ceil_div(shape, size);
    const Index3 at{n % grid.x, n / grid.x % grid.y, n / (grid.x * grid.y)};
    const Index3 begin{at.x * size.x, at.y * size.y, at.z * size.z};
    return {begin, min(begin + size, shape)};
  }
  Draw draw(subkey(subkey(settings.seed, 909), n));
  const auto pick = [&draw](std::int64_t room) {
    return static_cast<std::int64_t>(draw.uniform() * static_cast<double>(room + 1));
  };
  const Index3 begin{pick(shape.x - size.x), pick(shape.y - size.y), pick(shape.z - size.z)};
  return {begin, begin + size};
}

BlockSums compare_all(const Comparison& comparison, Index3 shape, const TruthCheckSettings& settings,
                      const Executor& executor, Progress& progress) {
  const std::int64_t blocks =
      settings.blocks > 0 ? settings.blocks : count(ceil_div(shape, min(kBlock, shape)));
  progress.begin("comparing", blocks * count(min(kBlock, shape)) * 2);
  BlockSums total;
  for (std::int64_t first = 0; first < blocks; first += kBatch) {
    std::vector<BlockSums> sums(static_cast<std::size_t>(std::min(kBatch, blocks - first)));
    executor.parallel_for(static_cast<std::int64_t>(sums.size()), [&](std::int64_t n, int) {
      const Box box = block_at(shape, settings, first + n);
      sums[static_cast<std::size_t>(n)] = compare(comparison, box);
      progress.advance(count(box.size()) * 2);
    });
    for (const BlockSums& block : sums) total.add(block);
  }
  progress.end();
  return total;
}

VolumeGrid grid_of(const std::vector<TrueTile>& tiles, const CheckedVolume& volume,
                   const TruthCheckSettings& settings) {
  const LevelInfo level = volume.reader->level(0);
  // Formats without a place for the origin say 0.
  const Vec3 stored = level.origin_um == Vec3{} ? detail::smallest_corner(tiles) : level.origin_um;
  VolumeGrid grid{level.shape, volume.voxel_um, settings.origin_um.value_or(stored) + settings.everything_um,
                  settings.interpolation};
  const auto fill = [](double& own, double said) {
    if (own == 0) own = said;
  };
  fill(grid.voxel_um.x, level.voxel_um.x);
  fill(grid.voxel_um.y, level.voxel_um.y);
  fill(grid.voxel_um.z, level.voxel_um.z);
  const SimulatedStack& s = tiles.front().stack;
  const double z = s.y_voxel_um * std::sin(s.tilt_degrees * std::numbers::pi / 180);
  const auto same = [](double a, double b) { return std::abs(a - b) <= 1e-3 * b; };
  if (!same(grid.voxel_um.x, s.x_step_um) || !same(grid.voxel_um.y, s.y_voxel_um) ||
      !same(grid.voxel_um.z, z))
    throw Error(fmt::format(
        "the volume's voxels are {:.4g} x {:.4g} x {:.4g} µm, the simulated ones {:.4g} x {:.4g} x "
        "{:.4g} µm; compare a volume that was made with the step and voxel size of the simulation",
        grid.voxel_um.x, grid.voxel_um.y, grid.voxel_um.z, s.x_step_um, s.y_voxel_um, z));
  // The volume's own numbers may be rounded (to nanometres); positions are computed with the exact ones.
  grid.voxel_um = {s.x_step_um, s.y_voxel_um, z};
  return grid;
}

void check_tiles(const std::vector<TrueTile>& tiles) {
  if (tiles.empty()) throw Error("there are no tiles to compare the volume with");
  const SimulatedStack& a = tiles.front().stack;
  for (const TrueTile& tile : tiles) {
    const SimulatedStack& b = tile.stack;
    if (tile.channel != tiles.front().channel || a.x_step_um != b.x_step_um || a.y_voxel_um != b.y_voxel_um ||
        a.tilt_degrees != b.tilt_degrees || a.direction != b.direction)
      throw Error(fmt::format("{} is of another channel or geometry than {}; compare one channel at a time",
                              tile.file, tiles.front().file));
  }
}

void judge_places(TruthReport& report) {
  Vec3 sum;
  double n = 0;
  const auto largest = [](Vec3 v) { return std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)}); };
  for (const TileCheck& tile : report.tiles)
    if (tile.measured) {
      sum = sum + tile.misplacement_voxels;
      n += 1;
      report.worst_misplacement = std::max(report.worst_misplacement, largest(tile.misplacement_voxels));
    }
  if (n == 0) return;
  report.misplacement_voxels = {sum.x / n, sum.y / n, sum.z / n};
  for (const TileCheck& tile : report.tiles)
    if (tile.measured)
      report.worst_relative_misplacement = std::max(
          report.worst_relative_misplacement, largest(tile.misplacement_voxels - report.misplacement_voxels));
}

void judge_voxels(const BlockSums& sums, TruthReport& report) {
  report.voxels = sums.voxels;
  report.expected_covered = sums.covered;
  report.missing = sums.missing;
  report.uncovered_nonzero = sums.extra;
  const auto n = static_cast<double>(sums.covered);
  if (n == 0) return;
  report.bias = sums.nominal.error / n;
  report.rms_error = std::sqrt(sums.nominal.error_2 / n);
  report.correlation = sums.nominal.correlation(n);
  report.error_in_sigmas = std::sqrt(sums.nominal.sigmas_2 / n);
  report.moved_rms_error = std::sqrt(sums.moved.error_2 / n);
  report.moved_correlation = sums.moved.correlation(n);
  report.moved_error_in_sigmas = std::sqrt(sums.moved.sigmas_2 / n);
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (std::size_t d = 0; d < kDistances; ++d) {
      const SeamSums& seam = sums.seams[axis][d];
      if (seam.voxels < kSeamVoxels || seam.level <= 0) continue;
      const double error = seam.error / seam.level;
      if (!report.worst_seam || std::abs(error) > std::abs(report.worst_seam->relative_error))
        report.worst_seam = SeamCheck{"xyz"[axis], kDistanceFrom[d], seam.voxels, error};
    }
}

}  // namespace

TruthReport check_truth(const std::vector<TrueTile>& given, const CheckedVolume& volume,
                        const TruthCheckSettings& settings, const Executor& executor, Progress& progress) {
  check_tiles(given);
  const VolumeGrid grid = grid_of(given, volume, settings);
  std::vector<TrueTile> tiles = given;
  for (TrueTile& tile : tiles) tile.nominal_um = tile.nominal_um + settings.everything_um;
  if (grid.shape.x < 1 || grid.shape.y < 1 || grid.shape.z < 1) throw Error("the volume is empty");
  const TruthModel model(tiles, grid, settings.corrections);
  TruthReport report;
  report.tiles.resize(tiles.size());
  Comparison comparison{model, *volume.reader, std::vector<Vec3>(tiles.size()),
                        std::vector<Vec3>(tiles.size())};
  progress.begin_counting("locating tiles", "tiles", static_cast<std::int64_t>(tiles.size()));
  executor.parallel_for(static_cast<std::int64_t>(tiles.size()), [&](std::int64_t n, int) {
    const auto t = static_cast<std::size_t>(n);
    const detail::Misplacement found =
        detail::find_misplacement(model, t, *volume.reader, {settings.search, settings.seed});
    const Vec3 um = found.measured ? found.shift_um : Vec3{};
    report.tiles[t] = {tiles[t].file,
                       tiles[t].error_um(),
                       found.measured,
                       {um.x / grid.voxel_um.x, um.y / grid.voxel_um.y, um.z / grid.voxel_um.z},
                       found.correlation};
    comparison.shift_um[t] = um;
    progress.advance(1);
  });
  progress.end();
  judge_places(report);
  judge_voxels(compare_all(comparison, grid.shape, settings, executor, progress), report);
  return report;
}

}  // namespace spim
