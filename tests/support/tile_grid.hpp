#pragma once
/// Grids of tiles with known stage errors, and what perfect overlaps would say of them.

#include <cmath>
#include <random>
#include <vector>

#include "spim/host/alignment.hpp"
#include "spim/host/pair_plan.hpp"
#include "spim/host/solve.hpp"
#include "support/memory_volume.hpp"

namespace spim::test {

/// Tiles of 100 x 100 x 50 voxels of 1 µm that overlap by 10, in rising x, then y, then z.
struct TileGrid {
  std::vector<TileToAlign> tiles;
  std::vector<Vec3> errors;  ///< true minus nominal position, voxels

  static constexpr Vec3 kVoxel{1, 1, 1};

  TileGrid(Index3 count, double largest_error, std::uint32_t seed = 1) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> error(-largest_error, largest_error);
    for (std::int64_t z = 0; z < count.z; ++z)
      for (std::int64_t y = 0; y < count.y; ++y)
        for (std::int64_t x = 0; x < count.x; ++x) {
          TileToAlign tile;
          tile.name = "tile " + std::to_string(tiles.size());
          tile.stage_um = tile.nominal_um = {90.0 * static_cast<double>(x), 90.0 * static_cast<double>(y),
                                             45.0 * static_cast<double>(z)};
          tile.region = box_region({100, 100, 50});
          tiles.push_back(tile);
          errors.push_back({error(random), error(random), error(random)});
        }
  }

  std::vector<TilePair> pairs() const { return plan_pairs(tiles, {kVoxel, 4}); }

  /// An unsolved result with one exact, surely measured link per pair that shares a face.
  AlignmentResult links() const {
    AlignmentResult result;
    result.voxel_um = kVoxel;
    for (const TileToAlign& tile : tiles) result.tiles.emplace_back().TileToAlign::operator=(tile);
    for (const TilePair& pair : pairs())
      if (pair.neighbours) result.links.push_back(link(pair));
    return result;
  }

  AlignedLink link(const TilePair& pair) const {
    AlignedLink link;
    link.fixed = pair.fixed;
    link.moving = pair.moving;
    link.guess_voxels = pair.guess_voxels;
    link.shift_voxels = errors[pair.moving] - errors[pair.fixed];
    link.error_voxels = {0.05, 0.05, 0.05};
    link.samples = {{{50, 50, 25}, link.shift_voxels, 0.99, 0.95}};
    link.agrees = {1};
    link.correlation = 0.99;
    link.confidence = 0.95;
    link.measured = true;
    return link;
  }

  /// Errors of the solved positions after removing what overlaps cannot tell, the shift of everything.
  std::vector<Vec3> position_errors(const AlignmentResult& result) const {
    std::vector<Vec3> wrong;
    Vec3 mean;
    const double n = static_cast<double>(tiles.size());
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      const Vec3 truth = tiles[i].nominal_um + errors[i];
      wrong.push_back(result.tiles[i].position_um - truth);
      mean = mean + Vec3{wrong[i].x / n, wrong[i].y / n, wrong[i].z / n};
    }
    for (Vec3& w : wrong) w = w - mean;
    return wrong;
  }
};

inline double length(Vec3 v) {
  return std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z);
}

/// Largest along any axis.
inline double worst(const std::vector<Vec3>& errors) {
  double most = 0;
  for (const Vec3& e : errors) most = std::max({most, std::abs(e.x), std::abs(e.y), std::abs(e.z)});
  return most;
}

/// True when one of the findings contains `text`.
inline bool finds(const AlignmentResult& result, const std::string& text) {
  for (const std::string& finding : result.findings)
    if (finding.find(text) != std::string::npos) return true;
  return false;
}

}  // namespace spim::test
