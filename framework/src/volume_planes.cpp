#include "spim/host/volume_planes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "halve.hpp"
#include "spim/error.hpp"

namespace spim {

namespace {

constexpr std::int64_t kSample = sizeof(std::uint16_t);
/// Scratch of a worker beside cells and chunks.
constexpr std::int64_t kWorkerBytes = std::int64_t{2} << 20;
/// Planes per worker that a slab of thin cells has, so that no worker waits for another for long.
constexpr std::int64_t kPlanesPerWorker = 4;
/// Files are made durable in groups, as in write_planes().
constexpr std::int64_t kGroupBytes = std::int64_t{256} << 20;
constexpr std::size_t kGroupFiles = 64;

/// Cells along one axis: cut at first + k·size.
std::vector<IndexRange> cells_of(std::int64_t extent, std::int64_t size, std::int64_t first) {
  std::vector<IndexRange> cells;
  for (std::int64_t begin = 0, end = first > 0 ? first : size; begin < extent; begin = end, end += size)
    cells.push_back({begin, std::min(end, extent)});
  return cells;
}

/// `ranges` joined in groups of `n`.
std::vector<IndexRange> joined(const std::vector<IndexRange>& ranges, std::int64_t n) {
  std::vector<IndexRange> result;
  for (std::size_t i = 0; i < ranges.size(); i += static_cast<std::size_t>(n))
    result.push_back(
        {ranges[i].begin, ranges[std::min(i + static_cast<std::size_t>(n), ranges.size()) - 1].end});
  return result;
}

/// `ranges` cut into pieces of at most `n`.
std::vector<IndexRange> split(const std::vector<IndexRange>& ranges, std::int64_t n) {
  std::vector<IndexRange> result;
  for (const IndexRange& range : ranges)
    for (std::int64_t begin = range.begin; begin < range.end; begin += n)
      result.push_back({begin, std::min(begin + n, range.end)});
  return result;
}

/// Sizes that a plan is made from.
struct Sizes {
  Index3 shape, cell, chunk;
  Grain grain;
  bool aligned = false;  ///< bands of cells end where rows of chunks do
};

Sizes sizes_of(const VolumeSource& source, Index3 chunk) {
  Sizes s{source.shape(), {}, min(chunk, source.shape()), source.grain(), false};
  s.cell = min(s.grain.size, s.shape);
  s.aligned = s.grain.size.y % s.chunk.y == 0 && s.grain.first.y == 0;
  return s;
}

/// Rows that must be in memory for a band of `cells` cells of y: what the last band left of a row of chunks
/// comes on top.
std::int64_t rows_for(const Sizes& s, std::int64_t cells) {
  const std::int64_t rows = cells * s.grain.size.y + (s.aligned ? 0 : s.chunk.y - 1);
  return s.chunk.y >= s.shape.y ? s.shape.y : std::min(rows, s.shape.y);
}

std::string mebibytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

/// Collects planes and writes them.
class Collector {
 public:
  Collector(const VolumeSource& source, const PlaneSeries& series, const PlaneLabels& labels,
            const PlaneWork& work, const VolumePlanesPlan& plan)
      : source_(source), series_(series), labels_(labels), work_(work), plan_(plan) {
    const Grain grain = source.grain();
    const Index3 shape = source.shape();
    x_cells_ = cells_of(shape.x, grain.size.x, grain.first.x);
    y_cells_ = cells_of(shape.y, grain.size.y, grain.first.y);
    z_cells_ = cells_of(shape.z, grain.size.z, grain.first.z);
    slabs_ = plan.slab >= std::min(grain.size.z, shape.z)
                 ? joined(z_cells_, std::max<std::int64_t>(1, plan.slab / grain.size.z))
                 : split(z_cells_, plan.slab);
    voxels_.reset(new std::uint16_t[static_cast<std::size_t>(plan.slab * plan.rows * shape.x)]);
    scratch_.resize(static_cast<std::size_t>(work.executor->workers()));
  }

  void run() {
    try {
      for (const IndexRange& slab : slabs_) write_slab(slab);
    } catch (...) {
      // So that a run that goes on need not do it again. The failure that ended this one is what is told.
      try {
        PlaneFile::publish(finished_);
      } catch (const std::exception&) {
      }
      throw;
    }
    PlaneFile::publish(finished_);
  }

 private:
  using Files = std::vector<std::unique_ptr<PlaneFile>>;

  /// Rows [begin, end) of the planes of a slab; row `base` is the first in memory.
  struct Band {
    IndexRange z;
    std::int64_t base = 0;
    IndexRange rows;
  };

  std::uint16_t* row(std::int64_t plane, std::int64_t row) const noexcept {
    return voxels_.get() + (plane * plan_.rows + row) * source_.shape().x;
  }

  void write_slab(const IndexRange& slab) {
    const auto wanted = series_.wanted();
    const auto first = std::lower_bound(wanted.begin(), wanted.end(), slab.begin);
    const auto last = std::lower_bound(first, wanted.end(), slab.end);
    if (first == last) return;
    const std::span<const std::int64_t> planes(first, last);
    Files files(planes.size());
    Band band{{planes.front(), planes.back() + 1}, 0, {0, 0}};
    for (std::size_t next = 0; next < y_cells_.size();) {
      // As many cells as there is room for behind the rows that are left.
      const std::size_t begin = next++;
      while (next < y_cells_.size() && y_cells_[next].end - band.base <= plan_.rows) ++next;
      band.rows = {y_cells_[begin].begin, y_cells_[next - 1].end};
      read(band, begin, next);
      band.base = write(band, planes, files);
    }
    for (auto& file : files) finished_.push_back(std::move(file));
    publish_groups();
  }

  void read(const Band& band, std::size_t y_begin, std::size_t y_end) {
    std::vector<IndexRange> depths;
    for (const IndexRange& z : z_cells_)
      if (const IndexRange part{std::max(z.begin, band.z.begin), std::min(z.end, band.z.end)}; !part.empty())
        depths.push_back(part);
    const auto nx = static_cast<std::int64_t>(x_cells_.size()),
               ny = static_cast<std::int64_t>(y_end - y_begin);
    const std::int64_t x_size = source_.shape().x;
    work_.executor->parallel_for(
        nx * ny * static_cast<std::int64_t>(depths.size()), [&](std::int64_t i, int) {
          const IndexRange& x = x_cells_[static_cast<std::size_t>(i % nx)];
          const IndexRange& y = y_cells_[y_begin + static_cast<std::size_t>(i / nx % ny)];
          const IndexRange& z = depths[static_cast<std::size_t>(i / nx / ny)];
          const Box box{{x.begin, y.begin, z.begin}, {x.end, y.end, z.end}};
          source_.read(box, {row(z.begin - band.z.begin, y.begin - band.base) + x.begin, box.size(), x_size,
                             plan_.rows * x_size});
        });
  }

  /// Writes the whole rows of chunks that are there; returns the first row that is left.
  std::int64_t write(const Band& band, std::span<const std::int64_t> planes, Files& files) {
    const Index3 shape = source_.shape();
    const bool complete = band.rows.end == shape.y;
    std::int64_t ready = shape.y;
    work_.executor->parallel_for(static_cast<std::int64_t>(planes.size()), [&](std::int64_t i, int worker) {
      const auto n = static_cast<std::size_t>(i);
      const std::int64_t plane = planes[n] - band.z.begin;
      if (!files[n]) files[n] = series_.create(planes[n], plane_spec(source_, labels_, planes[n]));
      const std::int64_t height = files[n]->chunk().y;
      const std::int64_t end = complete ? shape.y : band.rows.end / height * height;
      for (std::int64_t y = band.base; y < end; y += height)
        write_chunks(*files[n], y / height, row(plane, y - band.base),
                     scratch_[static_cast<std::size_t>(worker)]);
      if (complete) files[n]->finish();
      // Rows that the next band completes move to the front.
      std::memmove(row(plane, 0), row(plane, end - band.base),
                   static_cast<std::size_t>((band.rows.end - end) * shape.x * kSample));
      work_.progress->advance((end - band.base) * shape.x * bytes_of(source_.type()));
    });
    if (!complete) ready = band.rows.end / files.front()->chunk().y * files.front()->chunk().y;
    return ready;
  }

  /// Writes row `index` of chunks, whose first voxel is at `from`.
  void write_chunks(PlaneFile& file, std::int64_t index, const std::uint16_t* from,
                    std::vector<std::uint16_t>& scratch) const {
    const Index3 shape = source_.shape(), chunk = file.chunk();
    const std::int64_t height = std::min(chunk.y, shape.y - index * chunk.y);
    for (std::int64_t x = 0; x * chunk.x < shape.x; ++x) {
      const Index3 size{std::min(chunk.x, shape.x - x * chunk.x), height, 1};
      auto voxels = dense_view(from, size);
      if (size.x < shape.x) {
        scratch.resize(static_cast<std::size_t>(count(size)));
        for (std::int64_t i = 0; i < height; ++i)
          std::copy_n(from + i * shape.x + x * chunk.x, size.x, scratch.data() + i * size.x);
        voxels = dense_view<const std::uint16_t>(scratch.data(), size);
      }
      if (detail::all_zero(voxels))
        file.writer().write_zero({0, {x, index, 0}});
      else
        file.writer().write({0, {x, index, 0}}, voxels);
    }
  }

  void publish_groups() {
    const Index3 shape = source_.shape();
    const std::int64_t bytes = static_cast<std::int64_t>(finished_.size()) * shape.x * shape.y * kSample;
    if (finished_.size() < kGroupFiles && bytes < kGroupBytes) return;
    const Files group = std::exchange(finished_, {});
    PlaneFile::publish(group);
  }

  const VolumeSource& source_;
  const PlaneSeries& series_;
  const PlaneLabels& labels_;
  const PlaneWork& work_;
  VolumePlanesPlan plan_;
  std::vector<IndexRange> x_cells_, y_cells_, z_cells_, slabs_;
  std::unique_ptr<std::uint16_t[]> voxels_;  ///< planes of a slab, plan_.rows rows of each
  std::vector<std::vector<std::uint16_t>> scratch_;
  Files finished_;
};

}  // namespace

PlaneChunk plane_chunk(const VolumeSource& source, const PlaneSeries& series, const PlaneLabels& labels) {
  const VolumeSpec spec = plane_spec(source, labels, 0);
  return {series.chunk_shape(spec), series.writer_bytes(spec)};
}

VolumePlanesPlan plan_volume_planes(const VolumeSource& source, const PlaneChunk& chunk,
                                    const PlaneWork& work) {
  const Sizes s = sizes_of(source, chunk.size);
  if (s.cell.x < 1 || s.cell.y < 1 || s.cell.z < 1)
    throw Error("a volume without cells cannot be collected cell by cell");
  const std::int64_t workers = work.executor->workers();
  // A worker has a cell decoded and as stored, or a gathered chunk and that compressed; writers may take
  // more.
  const std::int64_t chunk_bytes = kSample * count(s.chunk);
  const std::int64_t base =
      workers * (kWorkerBytes + std::max(2 * kSample * count(s.cell),
                                         chunk_bytes + std::max(2 * chunk_bytes, chunk.writer_bytes)));
  const auto bytes = [&](std::int64_t planes, std::int64_t rows) {
    return base + kSample * s.shape.x * planes * rows;
  };
  const auto fits = [&](std::int64_t planes, std::int64_t rows) {
    return bytes(planes, rows) <= work.memory_bytes;
  };
  const auto plan = [&](std::int64_t planes, std::int64_t rows) {
    return VolumePlanesPlan{planes, rows, ceil_div(s.cell.z, planes), bytes(planes, rows)};
  };
  const std::int64_t cells = ceil_div(std::min(kPlanesPerWorker * workers, s.shape.z), s.grain.size.z);
  for (const std::int64_t slab : {cells * s.grain.size.z, s.grain.size.z})
    if (const auto planes = std::min(slab, s.shape.z); fits(planes, s.shape.y))
      return plan(planes, s.shape.y);
  std::int64_t band = ceil_div(s.shape.y, s.grain.size.y);
  while (band > 1 && !fits(s.cell.z, rows_for(s, band))) band = band / 2;
  const std::int64_t rows = rows_for(s, band);
  if (fits(s.cell.z, rows)) return plan(s.cell.z, rows);
  const std::int64_t planes = (work.memory_bytes - base) / (kSample * s.shape.x * rows);
  if (planes < 1)
    throw Error(
        fmt::format("planes of {} x {} voxels in chunks of {} x {} x {} need at least {} of memory but "
                    "may have {}; give more --memory or fewer --n-workers",
                    s.shape.x, s.shape.y, s.cell.x, s.cell.y, s.cell.z, mebibytes(bytes(1, rows)),
                    mebibytes(work.memory_bytes)));
  return plan(std::min(planes, s.cell.z), rows);
}

VolumePlanesPlan write_volume_planes(const VolumeSource& source, const PlaneSeries& series,
                                     const PlaneLabels& labels, const PlaneWork& work) {
  if (series.wanted().empty()) return {};
  const Index3 shape = source.shape();
  const VolumePlanesPlan plan = plan_volume_planes(source, plane_chunk(source, series, labels), work);
  const auto planes = static_cast<std::int64_t>(series.wanted().size());
  work.progress->begin("writing planes", planes * shape.x * shape.y * bytes_of(source.type()));
  Collector(source, series, labels, work, plan).run();
  work.progress->end();
  return plan;
}

}  // namespace spim
