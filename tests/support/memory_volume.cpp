#include "support/memory_volume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "framework/src/box_union.hpp"

namespace spim::test {

ValidRegion box_region(Index3 shape) {
  return {shape, 0, 0, shape.x, 1};
}

ValidRegion oblique_region(Index3 rows_and_columns, std::int64_t frames, double shear, int direction) {
  const double extent = std::ceil(shear * static_cast<double>(rows_and_columns.z - 1) - 1e-7);
  const Index3 shape{frames + static_cast<std::int64_t>(extent), rows_and_columns.y, rows_and_columns.z};
  return {shape, shear, direction > 0 ? 0 : static_cast<double>(frames - 1), frames, direction};
}

std::uint16_t noise(std::int64_t x, std::int64_t y, std::int64_t z) {
  return seeded_noise(x, y, z, 0);
}

std::uint16_t seeded_noise(std::int64_t x, std::int64_t y, std::int64_t z, std::uint32_t seed) {
  std::uint64_t h = static_cast<std::uint64_t>(x) * 0x9e3779b97f4a7c15u;
  h = (h ^ static_cast<std::uint64_t>(y)) * 0xbf58476d1ce4e5b9u;
  h = (h ^ static_cast<std::uint64_t>(z) ^ seed) * 0x94d049bb133111ebu;
  return static_cast<std::uint16_t>(h >> 47);
}

Voxels read_box(const VolumeSource& source, const Box& box) {
  Voxels all(box.size());
  std::fill(all.data.begin(), all.data.end(), std::uint16_t{0xdead});
  source.read(box, dense_view(all.data.data(), all.size));
  return all;
}

Voxels read_all(const VolumeSource& source) {
  return read_box(source, {{0, 0, 0}, source.shape()});
}

namespace {

void fill(Voxels& voxels, const VoxelFunction& voxel) {
  for (std::int64_t z = 0; z < voxels.size.z; ++z)
    for (std::int64_t y = 0; y < voxels.size.y; ++y)
      for (std::int64_t x = 0; x < voxels.size.x; ++x) voxels.at(x, y, z) = voxel(x, y, z);
}

void copy_out(const Voxels& from, const Box& box, VolumeView<std::uint16_t> out) {
  if (!contains({{0, 0, 0}, from.size}, box)) throw std::logic_error("a box outside the volume was read");
  if (out.size != box.size()) throw std::logic_error("a box was read into a view of another size");
  for (std::int64_t z = 0; z < out.size.z; ++z)
    for (std::int64_t y = 0; y < out.size.y; ++y)
      for (std::int64_t x = 0; x < out.size.x; ++x)
        out.row(y, z)[x] = from.at(box.begin.x + x, box.begin.y + y, box.begin.z + z);
}

}  // namespace

MemoryVolume::MemoryVolume(const ValidRegion& region, const VoxelFunction& voxel)
    : region_(region), voxels_(region.shape) {
  const double last = static_cast<double>(region.frames - 1);
  fill(voxels_, [&](std::int64_t x, std::int64_t y, std::int64_t z) -> std::uint16_t {
    const double k = region.frame_position(static_cast<double>(x), static_cast<double>(z));
    return k >= -1e-7 && k <= last + 1e-7 ? voxel(x, y, z) : std::uint16_t{0};
  });
}

std::int64_t MemoryVolume::memory_for(const Box& lane, std::span<const Box> boxes) const {
  std::vector<Box> inside;
  for (const Box& box : boxes) {
    if (!contains(lane, box)) throw std::logic_error("a box outside the lane was announced");
    inside.push_back(intersect(box, {{0, 0, 0}, shape()}));
  }
  return 2 * detail::union_voxels(std::move(inside));
}

std::int64_t MemoryVolume::plan_loads(const Box& lane, std::span<const Box> boxes) {
  std::vector<Announced> next;
  missing_.clear();
  for (const Box& box : boxes) {
    const auto old = std::ranges::find(prepared_, box, &Announced::box);
    if (old != prepared_.end() && *old->loaded) {
      next.push_back(*old);
      continue;
    }
    missing_.push_back(next.size());
    next.push_back({box, std::make_shared<std::atomic<bool>>(false)});
  }
  prepared_ = std::move(next);
  most_prepared_ = std::max(most_prepared_, memory_for(lane, boxes));
  ++plans_;
  return static_cast<std::int64_t>(missing_.size());
}

void MemoryVolume::load(std::int64_t i) {
  ++loads_;
  if (prepared_.at(missing_.at(static_cast<std::size_t>(i))).loaded->exchange(true))
    throw std::logic_error("a box was loaded twice");
}

void MemoryVolume::read(const Box& box, VolumeView<std::uint16_t> out) const {
  ++reads_;
  bool announced = false;
  for (const Announced& p : prepared_) announced = announced || (*p.loaded && contains(p.box, box));
  if (!announced) ++unprepared_reads_;
  copy_out(voxels_, box, out);
}

MemoryReader::MemoryReader(Index3 shape, Index3 chunk, const VoxelFunction& voxel)
    : voxels_(shape), chunk_(chunk) {
  fill(voxels_, voxel);
}

void MemoryReader::read(std::int32_t, const Box& box, VolumeView<std::uint16_t> out) {
  if (failing_) throw std::runtime_error("the disk is gone");
  ++reads_;
  voxels_read_ += count(box.size());
  copy_out(voxels_, box, out);
}

void MemoryWriter::begin(const VolumeSpec& spec) {
  spec_ = spec;
  if (spec.chunk != chunk_) throw std::logic_error("the chunk shape is not what chunk_shape() said");
  channels_.resize(static_cast<std::size_t>(spec.channel_count));
  for (std::vector<Voxels>& levels : channels_)
    for (int l = 0; l < spec.levels; ++l) {
      levels.emplace_back(level_shape(spec.shape, l));
      std::fill(levels.back().data.begin(), levels.back().data.end(), std::uint16_t{0xbeef});
    }
}

std::int64_t MemoryWriter::expected_chunks() const {
  std::int64_t n = 0;
  for (int l = 0; l < spec_.levels; ++l) n += count(ceil_div(level_shape(spec_.shape, l), chunk_));
  return n * spec_.channel_count;
}

Voxels& MemoryWriter::level_of(const ChunkAddress& chunk) {
  return channels_.at(static_cast<std::size_t>(chunk.channel)).at(static_cast<std::size_t>(chunk.level));
}

Box MemoryWriter::accept(const ChunkAddress& chunk) {
  if (on_chunk) on_chunk(chunk);
  const Index3 i = chunk.index;
  if (chunk.level < 0 || chunk.level >= spec_.levels)
    throw std::logic_error("a chunk of a level that does not exist");
  const Index3 begin{i.x * chunk_.x, i.y * chunk_.y, i.z * chunk_.z};
  const Box box{begin, min(begin + chunk_, level_shape(spec_.shape, chunk.level))};
  if (i.x < 0 || i.y < 0 || i.z < 0 || box.empty()) throw std::logic_error("a chunk outside its level");
  if (++seen_[fmt::format("{}/{}/{}/{}/{}", chunk.channel, chunk.level, i.x, i.y, i.z)] > 1)
    throw std::logic_error("a chunk came twice");
  if (fail_after_ >= 0 && static_cast<std::int64_t>(seen_.size()) > fail_after_)
    throw std::runtime_error("disk full");
  return box;
}

void MemoryWriter::write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  const std::lock_guard lock(mutex_);
  const Box box = accept(chunk);
  if (voxels.size != box.size() || !voxels.dense()) throw std::logic_error("a chunk of the wrong size");
  Voxels& level = level_of(chunk);
  bool any = false;
  for (std::int64_t z = 0; z < voxels.size.z; ++z)
    for (std::int64_t y = 0; y < voxels.size.y; ++y)
      for (std::int64_t x = 0; x < voxels.size.x; ++x) {
        const std::uint16_t v = voxels.row(y, z)[x];
        any = any || v != 0;
        level.at(box.begin.x + x, box.begin.y + y, box.begin.z + z) = v;
      }
  if (!any) throw std::logic_error("a chunk of zeros was not given as zero");
}

void MemoryWriter::write_zero(const ChunkAddress& chunk) {
  const std::lock_guard lock(mutex_);
  const Box box = accept(chunk);
  ++zero_chunks_;
  Voxels& level = level_of(chunk);
  for (std::int64_t z = box.begin.z; z < box.end.z; ++z)
    for (std::int64_t y = box.begin.y; y < box.end.y; ++y)
      for (std::int64_t x = box.begin.x; x < box.end.x; ++x) level.at(x, y, z) = 0;
}

std::vector<Voxels> pyramid_oracle(const Voxels& finest, int levels) {
  std::vector<Voxels> all{finest};
  while (static_cast<int>(all.size()) < levels) {
    const Voxels& fine = all.back();
    Voxels coarse(ceil_div(fine.size, {2, 2, 2}));
    fill(coarse, [&](std::int64_t x, std::int64_t y, std::int64_t z) {
      double sum = 0;
      double n = 0;
      for (std::int64_t c = 2 * z; c < std::min(2 * z + 2, fine.size.z); ++c)
        for (std::int64_t b = 2 * y; b < std::min(2 * y + 2, fine.size.y); ++b)
          for (std::int64_t a = 2 * x; a < std::min(2 * x + 2, fine.size.x); ++a) {
            sum += fine.at(a, b, c);
            n += 1;
          }
      return static_cast<std::uint16_t>(std::floor(sum / n + 0.5));
    });
    all.push_back(std::move(coarse));
  }
  return all;
}

}  // namespace spim::test
