#include "common/patch.hpp"

#include <algorithm>

namespace spim::alignment {

Patch read_patch(TileView& tile, const Box& wanted) {
  Patch patch;
  Box box = intersect(wanted, {{}, tile.shape()});
  if (box.empty()) return patch;
  IndexRange planes{box.end.z, box.begin.z}, columns{box.end.x, box.begin.x};
  for (std::int64_t z = box.begin.z; z < box.end.z; ++z) {
    const IndexRange valid = tile.valid_x(z);
    patch.valid.push_back({std::max(valid.begin, box.begin.x), std::min(valid.end, box.end.x)});
    if (patch.valid.back().empty()) continue;
    planes = {std::min(planes.begin, z), z + 1};
    columns = {std::min(columns.begin, patch.valid.back().begin),
               std::max(columns.end, patch.valid.back().end)};
  }
  if (planes.empty()) return {};
  const auto first = patch.valid.begin() + (planes.begin - box.begin.z);
  patch.valid = std::vector<IndexRange>(first, first + planes.size());
  patch.box = {{columns.begin, box.begin.y, planes.begin}, {columns.end, box.end.y, planes.end}};

  const Index3 n = patch.box.size();
  patch.voxels.resize(static_cast<std::size_t>(count(n)));
  tile.read(patch.box, dense_view(patch.voxels.data(), n));
  for (std::int64_t z = 0; z < n.z; ++z) {
    const IndexRange valid = patch.valid[static_cast<std::size_t>(z)];
    for (std::int64_t y = 0; y < n.y; ++y) {
      float* row = patch.voxels.data() + (z * n.y + y) * n.x;
      std::fill(row, row + (valid.empty() ? n.x : valid.begin - columns.begin), 0.0F);
      if (!valid.empty()) std::fill(row + (valid.end - columns.begin), row + n.x, 0.0F);
    }
  }
  return patch;
}

CommonPatches common_part(const Patch& fixed, const Patch& moving, Index3 position, const Box& window) {
  CommonPatches both;
  const Box box = intersect(intersect(fixed.box, shift(moving.box, position)), window);
  if (box.empty()) return both;
  const Index3 n = box.size();
  both.fixed.box = box;
  both.moving.box = {box.begin - position, box.end - position};
  both.fixed.voxels.resize(static_cast<std::size_t>(count(n)));
  both.moving.voxels.resize(both.fixed.voxels.size());
  for (std::int64_t z = box.begin.z; z < box.end.z; ++z) {
    const IndexRange f = fixed.valid[static_cast<std::size_t>(z - fixed.box.begin.z)];
    const IndexRange m = moving.valid[static_cast<std::size_t>(z - position.z - moving.box.begin.z)];
    const IndexRange run{std::max({f.begin, m.begin + position.x, box.begin.x}),
                         std::min({f.end, m.end + position.x, box.end.x})};
    both.fixed.valid.push_back(run);
    both.moving.valid.push_back({run.begin - position.x, run.end - position.x});
    if (run.empty()) continue;
    for (std::int64_t y = box.begin.y; y < box.end.y; ++y) {
      const std::int64_t to = ((z - box.begin.z) * n.y + y - box.begin.y) * n.x + run.begin - box.begin.x;
      std::copy_n(fixed.row(y, z) + run.begin - fixed.box.begin.x, run.size(),
                  both.fixed.voxels.begin() + to);
      std::copy_n(moving.row(y - position.y, z - position.z) + run.begin - position.x - moving.box.begin.x,
                  run.size(), both.moving.voxels.begin() + to);
    }
  }
  return both;
}

}  // namespace spim::alignment
