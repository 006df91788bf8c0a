#include "planes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spim/error.hpp"

namespace spim::cli {

namespace {

/// Voxels that one worker holds at most.
constexpr std::int64_t kBlockVoxels = 4'000'000;

std::int64_t& along(Index3& v, Axis axis) {
  return axis == Axis::x ? v.x : axis == Axis::y ? v.y : v.z;
}

std::int64_t along(const Index3& v, Axis axis) {
  return axis == Axis::x ? v.x : axis == Axis::y ? v.y : v.z;
}

double along(const Vec3& v, Axis axis) {
  return axis == Axis::x ? v.x : axis == Axis::y ? v.y : v.z;
}

/// Axes of the rows and columns of a picture across an axis.
struct PictureAxes {
  Axis row, column;
};

PictureAxes axes_of(Axis across) {
  if (across == Axis::z) return {Axis::y, Axis::x};
  return {Axis::z, across == Axis::y ? Axis::x : Axis::y};
}

Picture empty_picture(std::int64_t rows, std::int64_t columns) {
  if (rows > 0 && columns > kLargestPicture / rows)
    throw Error(fmt::format("the picture would have {} x {} samples, more than {}; choose a higher --level",
                            columns, rows, kLargestPicture));
  Picture picture;
  picture.rows = rows;
  picture.columns = columns;
  picture.samples.resize(static_cast<std::size_t>(rows * columns));
  return picture;
}

/// Raises the samples of `picture` to the voxels of `box`.
void raise(Picture& picture, VolumeView<const std::uint16_t> voxels, const Box& box, PictureAxes axes) {
  for (std::int64_t z = 0; z < voxels.size.z; ++z)
    for (std::int64_t y = 0; y < voxels.size.y; ++y) {
      const std::uint16_t* from = voxels.row(y, z);
      for (std::int64_t x = 0; x < voxels.size.x; ++x) {
        const Index3 at = box.begin + Index3{x, y, z};
        std::uint16_t& to = picture.samples[static_cast<std::size_t>(along(at, axes.row) * picture.columns +
                                                                     along(at, axes.column))];
        to = std::max(to, from[x]);
      }
    }
}

/// Size of the blocks that are read at once: whole chunks where these are not too large, one plane at least.
Index3 block_size(const LevelInfo& level, const PlaneRange& range) {
  Index3 block = min(level.chunk, level.shape);
  along(block, range.axis) = std::min(along(block, range.axis), range.end - range.begin);
  const PictureAxes axes = axes_of(range.axis);
  for (const Axis axis : {range.axis, axes.row, axes.column})
    while (count(block) > kBlockVoxels && along(block, axis) > 1)
      along(block, axis) = (along(block, axis) + 1) / 2;
  return block;
}

}  // namespace

std::int64_t extent(Index3 shape, Axis axis) {
  return along(shape, axis);
}

Picture project(VolumeReader& reader, const PlaneRange& range, const Executor& executor) {
  const LevelInfo level = reader.level(range.level);
  const PictureAxes axes = axes_of(range.axis);
  Picture picture = empty_picture(along(level.shape, axes.row), along(level.shape, axes.column));
  if (along(level.voxel_um, axes.row) > 0 && along(level.voxel_um, axes.column) > 0) {
    picture.row_um = along(level.voxel_um, axes.row);
    picture.column_um = along(level.voxel_um, axes.column);
  }
  // Each task owns a part of the picture and walks along the axis, so that no two touch the same sample.
  const Index3 block = block_size(level, range);
  const Index3 grid = ceil_div(level.shape, block);
  const std::int64_t columns = along(grid, axes.column);
  executor.parallel_for(along(grid, axes.row) * columns, [&](std::int64_t task, int) {
    Box box;
    along(box.begin, axes.row) = task / columns * along(block, axes.row);
    along(box.begin, axes.column) = task % columns * along(block, axes.column);
    std::vector<std::uint16_t> voxels;
    for (std::int64_t plane = range.begin; plane < range.end; plane += along(block, range.axis)) {
      executor.cancel().check();
      along(box.begin, range.axis) = plane;
      box.end = min(box.begin + block, level.shape);
      along(box.end, range.axis) = std::min(along(box.end, range.axis), range.end);
      voxels.resize(static_cast<std::size_t>(count(box.size())));
      const auto view = dense_view(voxels.data(), box.size());
      reader.read(range.level, box, view);
      raise(picture, as_const(view), box, axes);
    }
  });
  return picture;
}

Picture project_frames(FrameReader& reader, std::int64_t begin, std::int64_t end, const Executor& executor) {
  const StackInfo info = reader.info();
  Picture picture = empty_picture(info.rows, info.columns);
  const std::int64_t band =
      std::clamp<std::int64_t>(kBlockVoxels / std::max<std::int64_t>(1, info.columns), 1, info.rows);
  // One worker owns a band of rows through all frames.
  const std::int64_t bands = std::min(ceil_div(info.rows, band) * executor.workers(), info.rows);
  const std::int64_t height = ceil_div(info.rows, bands);
  executor.parallel_for(ceil_div(info.rows, height), [&](std::int64_t task, int) {
    const std::int64_t first = task * height;
    const std::int64_t rows = std::min(height, info.rows - first);
    std::vector<std::uint16_t> pixels(static_cast<std::size_t>(rows * info.columns));
    for (std::int64_t frame = begin; frame < end; ++frame) {
      executor.cancel().check();
      reader.read(frame, first, {pixels.data(), rows, info.columns, info.columns});
      std::uint16_t* to = picture.samples.data() + first * info.columns;
      std::transform(pixels.begin(), pixels.end(), to, to,
                     [](std::uint16_t a, std::uint16_t b) { return std::max(a, b); });
    }
  });
  return picture;
}

}  // namespace spim::cli
