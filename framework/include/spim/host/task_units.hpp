#pragma once
/// Single units of a volume that was written in tasks: which a task owns, and making one again.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spim/host/executor.hpp"
#include "spim/host/task_layout.hpp"
#include "spim/volume_writer.hpp"

namespace spim {

/// A unit (VolumeWriter::unit_shape) of a level, by its position in the grid of units.
struct UnitAddress {
  std::int32_t level = 0;
  Index3 index;
};

/// All units that `task` writes, of all levels.
std::vector<UnitAddress> units_of(const TaskLayout& layout, TaskId task);

/// The chunks in a unit.
std::vector<ChunkAddress> chunks_of(const TaskShape& shape, const UnitAddress& unit);

/// What a unit is made from.
struct UnitSource {
  VolumeSource* voxels = nullptr;  ///< of level 0
  VolumeWriter* finer = nullptr;   ///< has joined the output; gives the stored chunks of the level below
};

/// Computes all chunks of a unit and gives them to `writer`. Bit for bit what a sweep writes.
void make_unit(const TaskShape& shape, const UnitAddress& unit, const UnitSource& source,
               VolumeWriter& writer, const Executor& executor);

/// Gives the chunks of a unit to `writer`, all voxels 1: so that it names the files of the unit, which is all
/// that this is good for.
void write_placeholder(const TaskShape& shape, const UnitAddress& unit, VolumeWriter& writer);

/// Keeps the names of the files of a part.
class CollectedFiles final : public FileSink {
 public:
  void file(std::string_view path) override { files.emplace_back(path); }
  std::vector<std::string> files;
};

}  // namespace spim
