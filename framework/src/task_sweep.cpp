#include "spim/host/task_sweep.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "spim/host/pyramid.hpp"
#include "sweep_layout.hpp"
#include "wavefront.hpp"

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
  OwnedChunks(const TaskLayout& layout, TaskWriters& writers, StageMeter* meter)
      : layout_(layout), writers_(writers), meter_(meter) {}

  Index3 chunk_shape(const VolumeSpec& spec) const override { return spec.chunk; }
  void begin(const VolumeSpec&) override {}
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override {
    const StageTimer timer(meter_, Stage::encode, count(voxels.size) * bytes_of(layout_.shape().spec.type));
    writers_.writer(layout_.owner(chunk)).write(chunk, voxels);
  }
  void write_zero(const ChunkAddress& chunk) override {
    writers_.writer(layout_.owner(chunk)).write_zero(chunk);
  }
  void finish() override {}

 private:
  const TaskLayout& layout_;
  TaskWriters& writers_;
  StageMeter* meter_;
};

/// Sweeps the chunks of some tasks.
class TaskSweeper {
 public:
  TaskSweeper(VolumeSource& source, const TaskLayout& layout, const SweepShare& share, TaskWriters& writers,
              const Executor& executor, Progress& progress, StageMeter* meter)
      : source_(source),
        layout_(layout),
        spec_(layout.shape().spec),
        wanted_(share.tasks),
        writers_(writers),
        executor_(executor),
        progress_(progress),
        meter_(meter),
        owned_(layout, writers, meter),
        pyramid_(owned_, spec_, 0,
                 [this, leftovers = share.leftovers](const ChunkAddress& chunk) {
                   if (leftovers == Leftovers::leave) return layout_.owner(chunk).level == 0;
                   return all_below(layout_, wanted_, chunk);
                 }),
        missing_(static_cast<std::size_t>(layout.sweep_tasks())),
        buffers_(static_cast<std::size_t>(executor.workers())) {
    const std::vector<std::int64_t> counts = layout.chunks_of_sweep_tasks();
    for (std::size_t i = 0; i < counts.size(); ++i) missing_[i] = counts[i];
  }

  void run(const detail::SweepLayout& lanes) {
    for (const std::int64_t task : wanted_)
      if (missing_[static_cast<std::size_t>(task)] == 0) writers_.finished({0, task});
    for (const detail::Lane& lane : lanes.lanes) {
      const detail::Wavefront front(spec_, source_.region(), lane);
      for (const std::vector<detail::Column>& step : front.steps()) run_step(lane, step);
    }
    source_.prepare({}, executor_);
  }

 private:
  void run_step(const detail::Lane& lane, const std::vector<detail::Column>& step) {
    std::vector<detail::Column> columns;
    std::vector<Index3> chunks;
    for (const detail::Column& column : step) {
      const std::size_t before = chunks.size();
      for (std::int64_t y = lane.y_begin; y < lane.y_end; ++y)
        if (wanted_.contains(layout_.owner({0, {column.x, y, column.z}}).number))
          chunks.push_back({column.x, y, column.z});
      if (chunks.size() > before) columns.push_back(column);
    }
    if (chunks.empty()) return;
    source_.prepare(detail::step_boxes(source_, spec_, lane, columns), executor_);
    executor_.parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i, int worker) {
      run_chunk(chunks[static_cast<std::size_t>(i)], worker);
    });
  }

  void run_chunk(Index3 index, int worker) {
    const Index3 begin{index.x * spec_.chunk.x, index.y * spec_.chunk.y, index.z * spec_.chunk.z};
    const Box box{begin, min(begin + spec_.chunk, spec_.shape)};
    VolumeView<std::uint16_t> voxels = dense_view<std::uint16_t>(nullptr, box.size());
    const std::int64_t bytes = count(box.size()) * bytes_of(spec_.type);
    if (source_.may_hold_data(box)) {
      const StageTimer timer(meter_, Stage::place, bytes);
      voxels.data = buffer_of(worker);
      source_.read(box, voxels);
    }
    // A parent is written by whoever brings its last child, so when the last chunk of a task is through, all
    // that the task owns is written.
    {
      const StageTimer timer(meter_, Stage::halve, bytes);
      pyramid_.add(index, as_const(voxels));
    }
    progress_.advance(bytes_of_chunk(spec_));
    const TaskId task = layout_.owner({0, index});
    if (missing_[static_cast<std::size_t>(task.number)].fetch_sub(1) == 1) writers_.finished(task);
  }

  std::uint16_t* buffer_of(int worker) {
    auto& buffer = buffers_[static_cast<std::size_t>(worker)];
    if (!buffer)
      buffer.reset(new std::uint16_t[static_cast<std::size_t>(count(min(spec_.chunk, spec_.shape)))]);
    return buffer.get();
  }

  VolumeSource& source_;
  const TaskLayout& layout_;
  const VolumeSpec& spec_;
  const std::set<std::int64_t>& wanted_;
  TaskWriters& writers_;
  const Executor& executor_;
  Progress& progress_;
  StageMeter* meter_;
  OwnedChunks owned_;
  Pyramid pyramid_;
  std::vector<std::atomic<std::int64_t>> missing_;  ///< chunks of level 0 of each task
  std::vector<std::unique_ptr<std::uint16_t[]>> buffers_;
};

}  // namespace

void sweep_tasks(VolumeSource& source, const TaskLayout& layout, const SweepShare& share,
                 TaskWriters& writers, const Executor& executor, const SweepSettings& settings,
                 Progress& progress) {
  if (share.tasks.empty()) return;
  const VolumeSpec& spec = layout.shape().spec;
  const detail::SweepLayout lanes = detail::layout_sweep(source, spec, executor, settings);
  const std::vector<std::int64_t> counts = layout.chunks_of_sweep_tasks();
  std::int64_t chunks = 0;
  for (const std::int64_t task : share.tasks) chunks += counts.at(static_cast<std::size_t>(task));
  progress.begin("writing the volume", chunks * bytes_of_chunk(spec));
  TaskSweeper(source, layout, share, writers, executor, progress, settings.meter).run(lanes);
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
