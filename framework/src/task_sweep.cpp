#include "spim/host/task_sweep.hpp"

#include <algorithm>
#include <atomic>
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

}  // namespace

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
