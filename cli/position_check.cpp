#include "position_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "spim/error.hpp"
#include "spim/host/alignment_file.hpp"

namespace spim::cli {

namespace {

Vec3 voxel_of(const TrueTile& tile) {
  const SimulatedStack& s = tile.stack;
  return ObliqueGeometry({s.y_voxel_um, s.x_step_um, s.tilt_degrees, s.direction}, {1, 1, 1}).voxel_um();
}

/// True minus nominal positions in voxels, their mean removed.
std::vector<Vec3> errors_of(const std::vector<TrueTile>& tiles) {
  std::vector<Vec3> errors;
  Vec3 mean;
  const auto n = static_cast<double>(tiles.size());
  for (const TrueTile& tile : tiles) {
    const Vec3 um = tile.error_um(), voxel = voxel_of(tile);
    errors.push_back({um.x / voxel.x, um.y / voxel.y, um.z / voxel.z});
    mean = mean + Vec3{errors.back().x / n, errors.back().y / n, errors.back().z / n};
  }
  for (Vec3& error : errors) error = error - mean;
  return errors;
}

PositionErrors sum_up(const std::vector<Vec3>& errors) {
  PositionErrors sums;
  for (const Vec3& e : errors) {
    sums.rms = sums.rms + Vec3{e.x * e.x, e.y * e.y, e.z * e.z};
    sums.worst = std::max({sums.worst, std::abs(e.x), std::abs(e.y), std::abs(e.z)});
  }
  const auto n = static_cast<double>(errors.size());
  sums.rms = {std::sqrt(sums.rms.x / n), std::sqrt(sums.rms.y / n), std::sqrt(sums.rms.z / n)};
  return sums;
}

}  // namespace

PositionCheck apply_alignment(const std::filesystem::path& file, std::vector<TrueTile>& tiles) {
  PositionCheck check;
  check.before = sum_up(errors_of(tiles));
  const AlignmentFile alignment(file);
  std::string unknown;
  for (TrueTile& tile : tiles) {
    const std::optional<Vec3> found = alignment.find(tile.stage_um);
    if (!found) {
      unknown += (unknown.empty() ? "" : ", ") + tile.file;
      continue;
    }
    // The file counts in its own voxels, which may have been given wrongly.
    const Vec3 voxel = voxel_of(tile), counted = alignment.voxel_um().value_or(voxel);
    const Vec3 at = *found, origin = alignment.origin_um();
    tile.nominal_um.y = at.y * voxel.y / counted.y + origin.y;
    if (!alignment.aligns_xz()) continue;
    tile.nominal_um.x = at.x * voxel.x / counted.x + origin.x;
    tile.nominal_um.z = at.z * voxel.z / counted.z + origin.z;
  }
  if (!unknown.empty())
    throw Error(fmt::format("{}: has no position for {}; align this acquisition", file.string(), unknown));
  check.of_tile = errors_of(tiles);
  const auto n = static_cast<double>(tiles.size());
  for (const TrueTile& tile : tiles) {
    const Vec3 um = tile.error_um();
    check.mean_um = check.mean_um + Vec3{um.x / n, um.y / n, um.z / n};
  }
  check.after = sum_up(check.of_tile);
  return check;
}

}  // namespace spim::cli
