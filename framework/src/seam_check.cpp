#include "spim/host/seam_check.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "block_match.hpp"
#include "spim/host/overlap_block.hpp"

namespace spim {

namespace {

/// Voxels along each side of what is compared at a place, if the overlap is that large.
constexpr std::int64_t kBlock = 32;

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// First voxels of at most `most` blocks that cover [begin, end) as evenly as they can.
std::vector<std::int64_t> starts(IndexRange range, std::int64_t length, std::int64_t most) {
  const std::int64_t n = std::clamp<std::int64_t>(ceil_div(range.size(), length), 1, most);
  std::vector<std::int64_t> at;
  for (std::int64_t k = 0; k < n; ++k)
    at.push_back(range.begin +
                 (n == 1 ? (range.size() - length) / 2 : k * (range.size() - length) / (n - 1)));
  return at;
}

/// What is compared, in the voxel frame of the fixed tile.
std::vector<Box> places(const TileView& fixed, const TileView& moving, Vec3 offset,
                        const SeamSettings& settings) {
  const Box all = overlap_box(fixed, moving, offset);
  std::vector<Box> boxes;
  if (all.empty()) return boxes;
  const std::int64_t most = std::max<std::int64_t>(1, settings.blocks_per_axis);
  const std::int64_t size_y = std::min(kBlock, all.size().y), size_z = std::min(kBlock, all.size().z);
  for (const std::int64_t z : starts({all.begin.z, all.end.z}, size_z, most)) {
    const IndexRange common = common_x(fixed, moving, offset, z + size_z / 2);
    if (common.empty()) continue;
    // Slanted overlaps narrower than a block: the box takes in all that its planes have in common.
    const std::int64_t size_x = kBlock;
    for (const std::int64_t y : starts({all.begin.y, all.end.y}, size_y, most))
      for (const std::int64_t x : starts(common, size_x, most))
        boxes.push_back({{x, y, z}, {x + size_x, y + size_y, z + size_z}});
  }
  return boxes;
}

}  // namespace

SeamAgreement check_seam(TileView& fixed, TileView& moving, Vec3 offset, const SeamSettings& settings) {
  SeamAgreement found;
  const std::int64_t m = settings.search_voxels;
  std::vector<double> dx, dy, dz, correlations, ratios;
  for (const Box& box : places(fixed, moving, offset, settings)) {
    const Box read{box.begin - Index3{m, m, m}, box.end + Index3{m, m, m}};
    const auto match = detail::match_block(read_overlap(fixed, moving, read, offset), m);
    if (!match) continue;
    ++found.blocks;
    correlations.push_back(match->correlation);
    ratios.push_back(match->brightness_ratio);
    if (!match->displacement_voxels) {
      ++found.unmatched;
      continue;
    }
    // What lies at p + d must come to p.
    dx.push_back(-match->displacement_voxels->x);
    dy.push_back(-match->displacement_voxels->y);
    dz.push_back(-match->displacement_voxels->z);
  }
  found.displacement_voxels = {median_of(dx), median_of(dy), median_of(dz)};
  found.correlation = median_of(correlations);
  found.brightness_ratio = median_of(ratios);
  return found;
}

}  // namespace spim
