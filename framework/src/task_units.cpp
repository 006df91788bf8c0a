#include "spim/host/task_units.hpp"

#include <algorithm>
#include <memory>

#include "spim/host/pyramid.hpp"

namespace spim {

namespace {

Index3 scaled(Index3 a, Index3 b) noexcept {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
}

Box voxels_of(const VolumeSpec& spec, const ChunkAddress& chunk) noexcept {
  const Index3 begin = scaled(chunk.index, spec.chunk);
  return {begin, min(begin + spec.chunk, level_shape(spec.shape, chunk.level))};
}

Index3 chunks_per_unit(const TaskShape& shape) noexcept {
  return ceil_div(shape.unit, shape.spec.chunk);
}

/// Voxels of a chunk, computed when asked for.
class ChunkMaker {
 public:
  ChunkMaker(const VolumeSpec& spec, const UnitSource& source) : spec_(spec), source_(source) {}

  void make(const ChunkAddress& chunk, VolumeWriter& writer) const {
    chunk.level == 0 ? from_source(chunk, writer) : from_finer(chunk, writer);
  }

 private:
  void from_source(const ChunkAddress& chunk, VolumeWriter& writer) const {
    const Box box = voxels_of(spec_, chunk);
    if (!source_.voxels->may_hold_data(box)) return writer.write_zero(chunk);
    const std::unique_ptr<std::uint16_t[]> buffer(
        new std::uint16_t[static_cast<std::size_t>(count(box.size()))]);
    const auto voxels = dense_view(buffer.get(), box.size());
    source_.voxels->read(box, voxels);
    writer.write(chunk, as_const(voxels));
  }

  void from_finer(const ChunkAddress& chunk, VolumeWriter& writer) const {
    const StoredParent parent(*source_.finer, spec_, chunk);
    if (parent.voxels().data == nullptr) return writer.write_zero(chunk);
    writer.write(chunk, parent.voxels());
  }

  const VolumeSpec& spec_;
  const UnitSource& source_;
};

}  // namespace

std::vector<UnitAddress> units_of(const TaskLayout& layout, TaskId task) {
  const TaskShape& shape = layout.shape();
  const Index3 per_unit = chunks_per_unit(shape);
  std::vector<UnitAddress> units;
  // A task of an upper level writes nothing of the others.
  const std::int32_t first = task.level, end = task.level == 0 ? shape.spec.levels : task.level + 1;
  for (std::int32_t level = first; level < end; ++level) {
    const Index3 grid = ceil_div(level_shape(shape.spec.shape, level), shape.unit);
    for (std::int64_t z = 0; z < grid.z; ++z)
      for (std::int64_t y = 0; y < grid.y; ++y)
        for (std::int64_t x = 0; x < grid.x; ++x)
          if (layout.owner({level, scaled({x, y, z}, per_unit)}) == task) units.push_back({level, {x, y, z}});
  }
  return units;
}

std::vector<ChunkAddress> chunks_of(const TaskShape& shape, const UnitAddress& unit) {
  const Index3 per_unit = chunks_per_unit(shape);
  const Index3 begin = scaled(unit.index, per_unit);
  const Index3 end =
      min(begin + per_unit, ceil_div(level_shape(shape.spec.shape, unit.level), shape.spec.chunk));
  std::vector<ChunkAddress> chunks;
  for (std::int64_t z = begin.z; z < end.z; ++z)
    for (std::int64_t y = begin.y; y < end.y; ++y)
      for (std::int64_t x = begin.x; x < end.x; ++x) chunks.push_back({unit.level, {x, y, z}});
  return chunks;
}

void make_unit(const TaskShape& shape, const UnitAddress& unit, const UnitSource& source,
               VolumeWriter& writer, const Executor& executor) {
  const std::vector<ChunkAddress> chunks = chunks_of(shape, unit);
  if (unit.level == 0) {
    const Box box{voxels_of(shape.spec, chunks.front()).begin, voxels_of(shape.spec, chunks.back()).end};
    source.voxels->prepare(std::span(&box, 1), executor);
  }
  const ChunkMaker maker(shape.spec, source);
  executor.parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i, int) {
    maker.make(chunks[static_cast<std::size_t>(i)], writer);
  });
}

void write_placeholder(const TaskShape& shape, const UnitAddress& unit, VolumeWriter& writer) {
  std::vector<std::uint16_t> ones(static_cast<std::size_t>(count(shape.spec.chunk)), 1);
  for (const ChunkAddress& chunk : chunks_of(shape, unit))
    writer.write(chunk, as_const(dense_view(ones.data(), voxels_of(shape.spec, chunk).size())));
}

}  // namespace spim
