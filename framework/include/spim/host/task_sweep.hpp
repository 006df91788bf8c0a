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

/// What becomes of the chunks of upper levels that no sweep task owns but that lie above the swept ones
/// alone.
enum class Leftovers {
  make,  ///< written from memory, to the tasks of the upper levels
  leave  ///< for whoever does those tasks
};

/// Sweep tasks that one process does.
struct SweepShare {
  std::set<std::int64_t> tasks;
  Leftovers leftovers = Leftovers::make;
};

/// How a sweep goes through its tasks.
struct TaskCourse {
  std::int64_t tasks = 0;      ///< that get chunks
  std::int64_t most_open = 0;  ///< writers that are open at a time, those of upper levels included
  double first_done = 0;       ///< part of the sweep's chunks that are written before the first task is done
};

/// What sweep_tasks() with the same arguments will do; writes nothing.
TaskCourse rehearse_tasks(const VolumeSource& source, const TaskLayout& layout, const SweepShare& share,
                          const Executor& executor, const SweepSettings& settings);

/// Does some sweep tasks, all in one sweep: neighbours share the frames in memory. finished() is called for
/// sweep tasks only. The bits do not depend on workers, memory, or which other tasks are done at the same
/// time.
void sweep_tasks(VolumeSource& source, const TaskLayout& layout, const SweepShare& share,
                 TaskWriters& writers, const Executor& executor, const SweepSettings& settings,
                 Progress& progress);

/// Writes the chunks of `task`, of an upper level, that sweep_tasks(…, swept, …) did not write, from the
/// stored finer level, which is complete. `writer` has joined for the task.
void make_level(const TaskLayout& layout, TaskId task, const std::set<std::int64_t>& swept,
                VolumeWriter& writer, const Executor& executor, Progress& progress);

}  // namespace spim
