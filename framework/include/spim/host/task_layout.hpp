#pragma once
/// How the writing of a volume is cut into tasks that need nothing of each other.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "spim/host/sweep.hpp"
#include "spim/host/volume_source.hpp"
#include "spim/volume_writer.hpp"

namespace spim {

/// A task: one range of the wavefront (level 0), or a slab of what its upper levels leave over (level ≥ 1).
struct TaskId {
  std::int32_t level = 0;
  std::int64_t number = 0;

  friend bool operator==(const TaskId&, const TaskId&) = default;
  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

/// "sweep-12", "levels-2-0": names of ledger files and of parts.
std::string task_name(TaskId task);

/// What decides the tasks; plain numbers that are kept with the plan of a run.
struct TaskShape {
  VolumeSpec spec;                              ///< name is not kept
  Index3 unit;                                  ///< voxels, of the writer
  ValidRegion region;                           ///< of the source
  std::int64_t band_y = 0, band_z = 0;          ///< units of one band; x is never cut
  std::vector<std::vector<std::int64_t>> cuts;  ///< of each band: last step + 1 of each of its tasks, rising
};

/// Who writes what. Units of level 0 are sorted into bands of y and z, and inside a band by the step of the
/// wavefront (the frames that they begin with); a task takes some steps that follow each other. A unit of a
/// level above belongs to the task that writes all units of level 0 below it, otherwise to a task of its
/// level, which reads the finer level back. None of this depends on memory, workers or machine.
class TaskLayout {
 public:
  explicit TaskLayout(TaskShape shape);
  ~TaskLayout();
  TaskLayout(TaskLayout&&) noexcept;
  TaskLayout& operator=(TaskLayout&&) noexcept;

  const TaskShape& shape() const noexcept { return shape_; }
  std::int64_t sweep_tasks() const noexcept { return sweep_tasks_; }
  /// Tasks of a level ≥ 1; 0 when the sweep leaves nothing over.
  std::int64_t level_tasks(std::int32_t level) const;
  /// All tasks, in an order in which they can be done.
  std::vector<TaskId> tasks() const;

  TaskId owner(const ChunkAddress& chunk) const;
  /// Numbers of the sweep tasks that hold the chunks of level 0 below `chunk`.
  std::vector<std::int64_t> tasks_below(const ChunkAddress& chunk) const;
  /// Chunks of level 0 of each sweep task.
  std::vector<std::int64_t> chunks_of_sweep_tasks() const;
  /// Indices of the chunks of a task of the upper levels.
  std::vector<Index3> chunks_of(TaskId task) const;

 private:
  struct Band;
  struct UnitBox {
    Index3 begin, last;
  };
  UnitBox units_below(const ChunkAddress& chunk) const noexcept;
  std::int64_t band_at(std::int64_t unit_y, std::int64_t unit_z) const noexcept;
  Index3 unit_grid(std::int32_t level) const noexcept;
  TaskId slab_of(std::int32_t level, std::int64_t unit_x) const;

  TaskShape shape_;
  Index3 chunks_per_unit_;
  std::int64_t bands_y_ = 0;
  std::vector<Band> bands_;
  std::vector<std::int64_t> slabs_;  ///< of level l + 1
  std::int64_t sweep_tasks_ = 0;
};

/// Cuts the writing of `source` as `spec` (whose chunk is the writer's) with units of `unit` voxels into
/// about `tasks` sweep tasks of equal work; bands are as high as the lanes that settings.memory_bytes allow.
/// 0: as many as lose little when one is lost.
TaskShape cut_into_tasks(const VolumeSource& source, const VolumeSpec& spec, Index3 unit, std::int64_t tasks,
                         const SweepPlan& plan);

}  // namespace spim
