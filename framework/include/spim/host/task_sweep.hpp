#pragma once
/// Doing tasks of a volume: some ranges of the sweep, and what they leave over of the upper levels.

#include <cstdint>
#include <set>

#include "spim/host/progress.hpp"
#include "spim/host/sweep.hpp"
#include "spim/host/task_layout.hpp"

namespace spim {

/// Where tasks write, and who hears that they are done.
class TaskWriters {
 public:
  virtual ~TaskWriters() = default;
  /// The writer that has joined the output for `task`; made when first asked for. [any thread]
  virtual VolumeWriter& writer(TaskId task) = 0;
  /// All chunks of a sweep task have been given to its writer, which is not asked for again. [any thread]
  virtual void finished(TaskId task) = 0;
};

/// Does the sweep tasks `wanted`, all in one sweep: neighbours share the frames in memory. Of the upper
/// levels it writes all that lies above `wanted` alone, to whichever task owns it; finished() is called for
/// sweep tasks only. The bits do not depend on workers, memory, or which other tasks are done at the same
/// time.
void sweep_tasks(VolumeSource& source, const TaskLayout& layout, const std::set<std::int64_t>& wanted,
                 TaskWriters& writers, const Executor& executor, const SweepSettings& settings,
                 Progress& progress);

/// Writes the chunks of `task`, of an upper level, that sweep_tasks(…, swept, …) did not write, from the
/// stored finer level, which is complete. `writer` has joined for the task.
void make_level(const TaskLayout& layout, TaskId task, const std::set<std::int64_t>& swept,
                VolumeWriter& writer, const Executor& executor, Progress& progress);

}  // namespace spim
