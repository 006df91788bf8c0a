#include "projections.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

#include "pixel_sample.hpp"
#include "spim/clones.hpp"

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

/// The largest samples along z, y and x of one box.
struct BoxMaxima {
  explicit BoxMaxima(const VolumeView<const std::uint16_t>& voxels);

  Index3 size;
  std::vector<std::uint16_t> xy, xz, zy;  ///< (y,x), (z,x), (y,z)
};

SPIM_CLONES
void raise_to(std::uint16_t* __restrict maxima, const std::uint16_t* __restrict row, std::int64_t length) {
  for (std::int64_t i = 0; i < length; ++i) maxima[i] = std::max(maxima[i], row[i]);
}

SPIM_CLONES
std::uint16_t maximum_of(const std::uint16_t* row, std::int64_t length) {
  std::uint16_t most = 0;
  for (std::int64_t i = 0; i < length; ++i) most = std::max(most, row[i]);
  return most;
}

BoxMaxima::BoxMaxima(const VolumeView<const std::uint16_t>& voxels)
    : size(voxels.size),
      xy(static_cast<std::size_t>(size.y * size.x)),
      xz(static_cast<std::size_t>(size.z * size.x)),
      zy(static_cast<std::size_t>(size.y * size.z)) {
  for (std::int64_t z = 0; z < size.z; ++z)
    for (std::int64_t y = 0; y < size.y; ++y) {
      const std::uint16_t* row = voxels.row(y, z);
      raise_to(xy.data() + y * size.x, row, size.x);
      raise_to(xz.data() + z * size.x, row, size.x);
      zy[static_cast<std::size_t>(y * size.z + z)] = maximum_of(row, size.x);
    }
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
  void add(Index3 begin, const BoxMaxima& box) {
    const std::lock_guard lock(mutex_);
    raise(xy_, begin.y, begin.x, box.xy, box.size.x);
    raise(xz_, begin.z, begin.x, box.xz, box.size.x);
    raise(zy_, begin.y, begin.z, box.zy, box.size.z);
  }

  Projections take() { return {std::move(xy_), std::move(xz_), std::move(zy_), {}, 0, 1, false}; }

 private:
  static Picture picture(std::int64_t rows, std::int64_t columns, double row_um, double column_um) {
    return {rows, columns, std::vector<std::uint16_t>(static_cast<std::size_t>(rows * columns)), row_um,
            column_um};
  }

  /// `part` begins at voxel (`row`, `column`) of the plane that is shown.
  void raise(Picture& whole, std::int64_t row, std::int64_t column, const std::vector<std::uint16_t>& part,
             std::int64_t columns) const {
    const auto rows = static_cast<std::int64_t>(part.size()) / columns;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::uint16_t* from = part.data() + i * columns;
      std::uint16_t* to = whole.samples.data() + (row + i) / group_ * whole.columns;
      for (std::int64_t j = 0; j < columns; ++j) {
        std::uint16_t& sample = to[(column + j) / group_];
        sample = std::max(sample, from[j]);
      }
    }
  }

  std::int64_t group_;  ///< voxels of a sample, along each axis
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
    maxima.add(begin, BoxMaxima(as_const(view)));
  });
  Projections found = maxima.take();
  found.level = level;
  found.every = every;
  choose_contrast(found);
  return found;
}

}  // namespace spim::cli
