#include "spim/host/task_sweep.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "spim/host/pyramid.hpp"
#include "sweep_engine.hpp"
#include "sweep_layout.hpp"

namespace spim {

namespace {

/// True when everything below `chunk` is swept by `tasks`.
bool all_below(const TaskLayout& layout, const std::set<std::int64_t>& tasks, const ChunkAddress& chunk) {
  return std::ranges::all_of(layout.tasks_below(chunk), [&](std::int64_t t) { return tasks.contains(t); });
}

/// Of a whole chunk: what progress counts in.
std::int64_t bytes_of_chunk(const VolumeSpec& spec) noexcept {
  return count(min(spec.chunk, spec.shape)) * bytes_of(spec.type);
}

/// Gives each chunk to the writer of its task.
class OwnedChunks final : public VolumeWriter {
 public:
  OwnedChunks(const TaskLayout& layout, TaskWriters& writers) : layout_(layout), writers_(writers) {}

  Index3 chunk_shape(const VolumeSpec& spec) const override { return spec.chunk; }
  void begin(const VolumeSpec&) override {}
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override {
    writers_.writer(layout_.owner(chunk)).write(chunk, voxels);
  }
  void write_zero(const ChunkAddress& chunk) override {
    writers_.writer(layout_.owner(chunk)).write_zero(chunk);
  }
  void finish() override {}

 private:
  const TaskLayout& layout_;
  TaskWriters& writers_;
};

/// Chunks of sweep tasks that are still to come.
class MissingChunks {
 public:
  MissingChunks(const TaskLayout& layout, TaskWriters& writers)
      : layout_(layout), writers_(writers), missing_(static_cast<std::size_t>(layout.sweep_tasks())) {
    const std::vector<std::int64_t> counts = layout.chunks_of_sweep_tasks();
    for (std::size_t i = 0; i < counts.size(); ++i) missing_[i] = counts[i];
  }

  std::int64_t of(std::int64_t task) const { return missing_.at(static_cast<std::size_t>(task)); }
  /// A chunk and all that it completes are written. [any thread]
  void finished(Index3 chunk) {
    const TaskId task = layout_.owner({0, chunk});
    if (missing_[static_cast<std::size_t>(task.number)].fetch_sub(1) == 1) writers_.finished(task);
  }

 private:
  const TaskLayout& layout_;
  TaskWriters& writers_;
  std::vector<std::atomic<std::int64_t>> missing_;
};

/// First and last step of the sweep, counted through all lanes, in which a task gets chunks.
struct Life {
  std::size_t first = std::numeric_limits<std::size_t>::max();
  std::size_t last = 0;
};

}  // namespace

TaskCourse rehearse_tasks(const VolumeSource& source, const TaskLayout& layout, const SweepShare& share,
                          const Executor& executor, const SweepSettings& settings) {
  const VolumeSpec& spec = layout.shape().spec;
  std::map<std::int64_t, Life> lives;
  std::vector<std::int64_t> chunks;  // of each step
  for (const detail::Lane& lane : detail::layout_sweep(source, spec, executor, settings).lanes) {
    executor.cancel().check();
    const detail::Wavefront front(spec, source.region(), lane);
    for (const auto& step : front.steps()) {
      std::int64_t& of_step = chunks.emplace_back();
      for (const detail::Column& column : step)
        for (std::int64_t y = lane.y_begin; y < lane.y_end; ++y) {
          const std::int64_t task = layout.owner({0, {column.x, y, column.z}}).number;
          if (!share.tasks.contains(task)) continue;
          Life& life = lives[task];
          life.first = std::min(life.first, chunks.size() - 1);
          life.last = chunks.size() - 1;
          ++of_step;
        }
    }
  }
  std::vector<std::int64_t> change(chunks.size() + 1);
  std::size_t first_end = chunks.size();
  for (const auto& [task, life] : lives) {
    ++change[life.first];
    --change[life.last + 1];
    first_end = std::min(first_end, life.last + 1);
  }
  TaskCourse course;
  course.tasks = std::ssize(lives);
  std::int64_t open = 0;
  for (const std::int64_t c : change) course.most_open = std::max(course.most_open, open += c);
  if (share.leftovers == Leftovers::make)
    for (std::int32_t level = 1; level < spec.levels; ++level) course.most_open += layout.level_tasks(level);
  const auto sum = [&](std::size_t end) {
    return static_cast<double>(
        std::accumulate(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(end), std::int64_t{0}));
  };
  if (!lives.empty()) course.first_done = sum(first_end) / sum(chunks.size());
  return course;
}

void sweep_tasks(VolumeSource& source, const TaskLayout& layout, const SweepShare& share,
                 TaskWriters& writers, const Executor& executor, const SweepSettings& settings,
                 Progress& progress) {
  if (share.tasks.empty()) return;
  const VolumeSpec& spec = layout.shape().spec;
  const detail::SweepLayout lanes = detail::layout_sweep(source, spec, executor, settings);
  MissingChunks missing(layout, writers);
  for (const std::int64_t task : share.tasks)
    if (missing.of(task) == 0) writers.finished({0, task});
  OwnedChunks owned(layout, writers);
  detail::MeteredWriter metered(owned, spec, settings.meter);
  Pyramid pyramid(metered, spec, 0, [&](const ChunkAddress& chunk) {
    if (share.leftovers == Leftovers::leave) return layout.owner(chunk).level == 0;
    return all_below(layout, share.tasks, chunk);
  });
  const auto wanted = [&](Index3 chunk) { return share.tasks.contains(layout.owner({0, chunk}).number); };
  detail::SweepEngine engine(source, {pyramid, wanted, [&](Index3 chunk) { missing.finished(chunk); }},
                             {spec, executor, progress, settings.meter});
  progress.begin("writing the volume", engine.bytes());
  engine.run(lanes);
  executor.cancel().check();
  progress.end();
}

void make_level(const TaskLayout& layout, TaskId task, const std::set<std::int64_t>& swept,
                VolumeWriter& writer, const Executor& executor, Progress& progress) {
  const VolumeSpec& spec = layout.shape().spec;
  std::vector<Index3> chunks = layout.chunks_of(task);
  std::erase_if(chunks, [&](Index3 index) { return all_below(layout, swept, {task.level, index}); });
  if (chunks.empty()) return;
  const std::int64_t bytes = bytes_of_chunk(spec);
  progress.begin("writing lower resolutions", static_cast<std::int64_t>(chunks.size()) * bytes);
  executor.parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i, int) {
    const ChunkAddress chunk{task.level, chunks[static_cast<std::size_t>(i)]};
    const StoredParent parent(writer, spec, chunk);
    if (parent.voxels().data == nullptr)
      writer.write_zero(chunk);
    else
      writer.write(chunk, parent.voxels());
    progress.advance(bytes);
  });
  progress.end();
}

}  // namespace spim
