#include "common/patch.hpp"

#include <algorithm>
#include <span>

namespace spim::alignment {

namespace {

/// A row of voxels from x on.
template <class T>
struct RowFrom {
  std::int64_t x;
  std::span<T> voxels;
};

RowFrom<const float> row_of(const Patch& patch, std::int64_t y, std::int64_t z) {
  return {patch.box.begin.x, {patch.row(y, z), static_cast<std::size_t>(patch.box.size().x)}};
}

/// Voxels `run` of one row into another, 0 elsewhere.
void copy_run(const RowFrom<const float>& from, IndexRange run, const RowFrom<float>& to) {
  std::fill(to.voxels.begin(), to.voxels.end(), 0.0F);
  if (!run.empty())
    std::copy_n(from.voxels.begin() + (run.begin - from.x), run.size(),
                to.voxels.begin() + (run.begin - to.x));
}

}  // namespace

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
  patch.voxels = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(count(n)));
  tile.read(patch.box, dense_view(patch.voxels.get(), n));
  for (std::int64_t z = 0; z < n.z; ++z) {
    const IndexRange valid = patch.valid[static_cast<std::size_t>(z)];
    for (std::int64_t y = 0; y < n.y; ++y) {
      float* row = patch.voxels.get() + (z * n.y + y) * n.x;
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
  const auto width = static_cast<std::size_t>(n.x);
  for (Patch* patch : {&both.fixed, &both.moving})
    patch->voxels = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(count(n)));
  for (std::int64_t z = box.begin.z; z < box.end.z; ++z) {
    const IndexRange f = fixed.valid[static_cast<std::size_t>(z - fixed.box.begin.z)];
    const IndexRange m = moving.valid[static_cast<std::size_t>(z - position.z - moving.box.begin.z)];
    const IndexRange run{std::max({f.begin, m.begin + position.x, box.begin.x}),
                         std::min({f.end, m.end + position.x, box.end.x})};
    both.fixed.valid.push_back(run);
    both.moving.valid.push_back({run.begin - position.x, run.end - position.x});
    for (std::int64_t y = box.begin.y; y < box.end.y; ++y) {
      const std::int64_t to = ((z - box.begin.z) * n.y + y - box.begin.y) * n.x;
      copy_run(row_of(fixed, y, z), run, {box.begin.x, {both.fixed.voxels.get() + to, width}});
      copy_run(row_of(moving, y - position.y, z - position.z), both.moving.valid.back(),
               {both.moving.box.begin.x, {both.moving.voxels.get() + to, width}});
    }
  }
  return both;
}

}  // namespace spim::alignment
