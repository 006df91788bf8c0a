#include "projections.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

#include "pixel_sample.hpp"

namespace spim::cli {

namespace {

/// Decoded in about a tenth of a second on a core.
constexpr std::int64_t kVoxels = std::int64_t{1} << 26;
constexpr std::int64_t kLongest = 1400;
/// Of this share of the samples with data, the darkest and the brightest are not told apart.
constexpr double kBlack = 0.01, kWhite = 0.998;

std::int32_t level_to_read(VolumeReader& reader) {
  std::int32_t level = 0;
  while (level + 1 < reader.info().levels && count(reader.level(level).shape) > kVoxels) ++level;
  return level;
}

/// Three pictures that grow with the boxes that are added.
class Maxima {
 public:
  Maxima(Index3 shape, Vec3 voxel_um) : group_{ceil_div(std::max({shape.x, shape.y, shape.z}), kLongest)} {
    const Index3 size = ceil_div(shape, {group_, group_, group_});
    const auto group = static_cast<double>(group_);
    const Vec3 um{voxel_um.x * group, voxel_um.y * group, voxel_um.z * group};
    xy_ = picture(size.y, size.x, um.y, um.x);
    xz_ = picture(size.z, size.x, um.z, um.x);
    zy_ = picture(size.y, size.z, um.y, um.z);
  }

  /// [any thread]
  void add(Index3 begin, const VolumeView<const std::uint16_t>& voxels) {
    // A box of its own first: threads wait for each other only to put small pictures together.
    Maxima part(*this, begin, begin + voxels.size);
    for (std::int64_t z = 0; z < voxels.size.z; ++z)
      for (std::int64_t y = 0; y < voxels.size.y; ++y)
        part.add_row(begin + Index3{0, y, z}, voxels.row(y, z), voxels.size.x);
    const std::lock_guard lock(mutex_);
    raise(xy_, part.xy_, part.first_.y, part.first_.x);
    raise(xz_, part.xz_, part.first_.z, part.first_.x);
    raise(zy_, part.zy_, part.first_.y, part.first_.z);
  }

  Projections take() { return {std::move(xy_), std::move(xz_), std::move(zy_), {}, 0, 1, false}; }

 private:
  Maxima(const Maxima& whole, Index3 begin, Index3 end) : group_(whole.group_), first_(groups(begin)) {
    const Index3 size = groups(end - Index3{1, 1, 1}) + Index3{1, 1, 1} - first_;
    xy_ = picture(size.y, size.x, 1, 1);
    xz_ = picture(size.z, size.x, 1, 1);
    zy_ = picture(size.y, size.z, 1, 1);
  }

  static Picture picture(std::int64_t rows, std::int64_t columns, double row_um, double column_um) {
    return {rows, columns, std::vector<std::uint16_t>(static_cast<std::size_t>(rows * columns)), row_um,
            column_um};
  }

  Index3 groups(Index3 at) const { return {at.x / group_, at.y / group_, at.z / group_}; }

  static std::uint16_t& at(Picture& picture, std::int64_t row, std::int64_t column) {
    return picture.samples[static_cast<std::size_t>(row * picture.columns + column)];
  }

  static void raise(Picture& whole, const Picture& part, std::int64_t row, std::int64_t column) {
    for (std::int64_t i = 0; i < part.rows; ++i)
      for (std::int64_t j = 0; j < part.columns; ++j) {
        std::uint16_t& sample = at(whole, row + i, column + j);
        sample = std::max(sample, part.samples[static_cast<std::size_t>(i * part.columns + j)]);
      }
  }

  void add_row(Index3 begin, const std::uint16_t* row, std::int64_t length) {
    const Index3 to = groups(begin) - first_;
    std::uint16_t* const xy = &at(xy_, to.y, 0);
    std::uint16_t* const xz = &at(xz_, to.z, 0);
    std::uint16_t most = 0;
    for (std::int64_t i = 0; i < length;) {
      const std::int64_t group = (begin.x + i) / group_, x = group - first_.x;
      const std::int64_t end = std::min(length, (group + 1) * group_ - begin.x);
      const std::uint16_t here = *std::max_element(row + i, row + end);
      xy[x] = std::max(xy[x], here);
      xz[x] = std::max(xz[x], here);
      most = std::max(most, here);
      i = end;
    }
    std::uint16_t& zy = at(zy_, to.y, to.z);
    zy = std::max(zy, most);
  }

  std::int64_t group_;  ///< voxels of a sample, along each axis
  Index3 first_;        ///< sample of the pictures that these begin with
  Picture xy_, xz_, zy_;
  std::mutex mutex_;
};

void choose_contrast(Projections& found) {
  Histogram histogram;
  for (const Picture* picture : {&found.xy, &found.xz, &found.zy}) histogram.add(picture->samples);
  found.empty = histogram.maximum() == 0;
  const std::uint16_t black = histogram.percentile_above_zero(kBlack);
  const std::uint16_t white = histogram.percentile_above_zero(kWhite);
  found.contrast = {black, std::max(white, static_cast<std::uint16_t>(std::min(black + 1, 65535)))};
}

}  // namespace

Projections project(VolumeReader& reader, const Executor& executor) {
  const std::int32_t level = level_to_read(reader);
  const LevelInfo info = reader.level(level);
  const Index3 grid = ceil_div(info.shape, info.chunk);
  const std::int64_t chunks = count(grid);
  // Neighbours differ in the sum of their indices, so every row and column of chunks has its share.
  const std::int64_t every =
      std::clamp<std::int64_t>(ceil_div(count(info.shape), 4 * kVoxels), 1,
                               std::max<std::int64_t>(1, std::min({grid.x, grid.y, grid.z})));
  Maxima maxima(info.shape, info.voxel_um);
  executor.parallel_for(chunks, [&](std::int64_t i, int) {
    const Index3 index{i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y)};
    if ((index.x + index.y + index.z) % every != 0) return;
    const Index3 begin{index.x * info.chunk.x, index.y * info.chunk.y, index.z * info.chunk.z};
    const Box box{begin, min(begin + info.chunk, info.shape)};
    std::vector<std::uint16_t> voxels(static_cast<std::size_t>(count(box.size())));
    const auto view = dense_view(voxels.data(), box.size());
    reader.read(level, box, view);
    maxima.add(begin, as_const(view));
  });
  Projections found = maxima.take();
  found.level = level;
  found.every = every;
  choose_contrast(found);
  return found;
}

}  // namespace spim::cli
