#include "spim/host/pair_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <tuple>

namespace spim {

namespace {

using Cell = std::array<std::int64_t, 3>;

/// Where the data of a tile are, nominally: a box along frames (x − shear·z), y and z, in voxels, both ends
/// included.
struct Extent {
  std::array<double, 3> low;
  std::array<double, 3> high;

  double size(std::size_t axis) const noexcept { return high[axis] - low[axis] + 1; }
};

Vec3 voxels_of(Vec3 um, Vec3 voxel_um) noexcept {
  return {um.x / voxel_um.x, um.y / voxel_um.y, um.z / voxel_um.z};
}

Extent extent_of(const TileToAlign& tile, Vec3 voxel_um) noexcept {
  const Vec3 at = voxels_of(tile.nominal_um + tile.origin_um, voxel_um);
  const ValidRegion& region = tile.region;
  const auto last = static_cast<double>(region.frames - 1);
  const double first = at.x - region.shear * at.z + region.x_offset - (region.direction > 0 ? 0 : last);
  return {{first, at.y, at.z},
          {first + last, at.y + static_cast<double>(region.shape.y - 1),
           at.z + static_cast<double>(region.shape.z - 1)}};
}

/// Cells as large as the largest tile: whatever overlaps a tile begins in its cell or in one beside it.
std::array<double, 3> cell_size(const std::vector<Extent>& extents) noexcept {
  std::array<double, 3> size{1, 1, 1};
  for (const Extent& extent : extents)
    for (std::size_t a = 0; a < 3; ++a) size[a] = std::max(size[a], extent.size(a));
  return size;
}

Cell cell_of(const Extent& extent, const std::array<double, 3>& size) noexcept {
  Cell cell;
  for (std::size_t a = 0; a < 3; ++a)
    cell[a] = static_cast<std::int64_t>(std::floor(extent.low[a] / size[a]));
  return cell;
}

/// The pair, if the extents overlap by at least `least` voxels on each axis.
bool overlap(const Extent& a, const Extent& b, double least, TilePair& pair) noexcept {
  std::array<double, 3> common;
  int broad = 0;  // axes on which most of a tile is common
  for (std::size_t axis = 0; axis < 3; ++axis) {
    common[axis] = std::min(a.high[axis], b.high[axis]) - std::max(a.low[axis], b.low[axis]) + 1;
    if (!(common[axis] >= least)) return false;
    if (2 * common[axis] > std::min(a.size(axis), b.size(axis))) ++broad;
  }
  pair.overlap_voxels = {common[0], common[1], common[2]};
  pair.neighbours = broad >= 2;
  return true;
}

}  // namespace

std::vector<TilePair> plan_pairs(const std::vector<TileToAlign>& tiles, const PairPlanSettings& settings) {
  std::vector<Extent> extents;
  extents.reserve(tiles.size());
  for (const TileToAlign& tile : tiles) extents.push_back(extent_of(tile, settings.voxel_um));
  const std::array<double, 3> size = cell_size(extents);
  std::map<Cell, std::vector<std::size_t>> cells;
  for (std::size_t i = 0; i < tiles.size(); ++i) cells[cell_of(extents[i], size)].push_back(i);

  std::vector<TilePair> pairs;
  const auto add_pairs_in = [&](std::size_t i, const Cell& cell) {
    const auto found = cells.find(cell);
    if (found == cells.end()) return;
    for (const std::size_t j : found->second) {
      TilePair pair{i, j, {}, {}, false};
      if (j <= i || !overlap(extents[i], extents[j], settings.least_overlap, pair)) continue;
      pair.guess_voxels =
          voxels_of(tiles[j].nominal_um + tiles[j].origin_um - tiles[i].nominal_um - tiles[i].origin_um,
                    settings.voxel_um);
      pairs.push_back(pair);
    }
  };
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Cell own = cell_of(extents[i], size);
    for (std::int64_t n = 0; n < 27; ++n)
      add_pairs_in(i, {own[0] + n % 3 - 1, own[1] + n / 3 % 3 - 1, own[2] + n / 9 - 1});
  }
  std::sort(pairs.begin(), pairs.end(), [](const TilePair& a, const TilePair& b) {
    return std::tie(a.fixed, a.moving) < std::tie(b.fixed, b.moving);
  });
  return pairs;
}

}  // namespace spim
