#include "sweep_engine.hpp"

#include <utility>

namespace spim::detail {

SweepEngine::SweepEngine(VolumeSource& source, const SweptChunks& chunks, const SweepTools& tools)
    : source_(source),
      chunks_(chunks),
      tools_(tools),
      buffers_(static_cast<std::size_t>(tools.executor.workers())) {}

Box SweepEngine::box_of(Index3 chunk) const noexcept {
  const VolumeSpec& spec = tools_.spec;
  const Index3 begin{chunk.x * spec.chunk.x, chunk.y * spec.chunk.y, chunk.z * spec.chunk.z};
  return {begin, min(begin + spec.chunk, spec.shape)};
}

std::int64_t SweepEngine::bytes() const {
  const VolumeSpec& spec = tools_.spec;
  if (!chunks_.wanted) return count(spec.shape) * bytes_of(spec.type);
  const Index3 grid = ceil_div(spec.shape, spec.chunk);
  std::int64_t voxels = 0;
  for (std::int64_t z = 0; z < grid.z; ++z)
    for (std::int64_t y = 0; y < grid.y; ++y)
      for (std::int64_t x = 0; x < grid.x; ++x)
        if (chunks_.wanted({x, y, z})) voxels += count(box_of({x, y, z}).size());
  return voxels * bytes_of(spec.type);
}

void SweepEngine::run(const SweepLayout& layout) {
  for (const Lane& lane : layout.lanes) run_lane(lane, layout.reads_ahead);
  source_.plan_loads({}, {});
}

SweepEngine::Step SweepEngine::next_step(const Lane& lane, const Wavefront& front, std::size_t number) const {
  Step step;
  for (; number < front.steps().size() && step.chunks.empty(); ++number) {
    step.number = number;
    std::vector<Column> columns;
    for (const Column& column : front.steps()[number]) {
      const std::size_t before = step.chunks.size();
      for (std::int64_t y = lane.y_begin; y < lane.y_end; ++y)
        if (const Index3 chunk{column.x, y, column.z}; !chunks_.wanted || chunks_.wanted(chunk))
          step.chunks.push_back(chunk);
      if (step.chunks.size() > before) columns.push_back(column);
    }
    step.boxes = step_boxes(source_, tools_.spec, lane, columns);
  }
  return step;
}

void SweepEngine::run_lane(const Lane& lane, bool ahead) {
  const Box whole = lane_box(tools_.spec, lane);
  const Wavefront front(tools_.spec, source_.region(), lane);
  bool loaded = false;
  Step step = next_step(lane, front, 0);
  while (!step.chunks.empty()) {
    if (!loaded) work({}, source_.plan_loads(whole, step.boxes));
    Step next = next_step(lane, front, step.number + 1);
    // Steps that do not follow each other have no frames in common: between them there is no looking ahead.
    loaded = ahead && !next.chunks.empty() && next.number == step.number + 1;
    work(step.chunks, loaded ? source_.plan_loads(whole, joined(step.boxes, next.boxes)) : 0);
    step = std::move(next);
  }
}

void SweepEngine::work(const std::vector<Index3>& chunks, std::int64_t loads) {
  const std::int64_t items = static_cast<std::int64_t>(chunks.size()) + loads;
  const auto loads_before = [&](std::int64_t i) { return i * loads / items; };
  tools_.executor.parallel_for(items, [&](std::int64_t i, int worker) {
    const std::int64_t load = loads_before(i);
    if (loads_before(i + 1) > load)
      source_.load(load);
    else
      run_chunk(chunks[static_cast<std::size_t>(i - load)], worker);
  });
}

void SweepEngine::run_chunk(Index3 index, int worker) {
  const Box box = box_of(index);
  const std::int64_t bytes = count(box.size()) * bytes_of(tools_.spec.type);
  VolumeView<std::uint16_t> voxels = dense_view<std::uint16_t>(nullptr, box.size());
  if (source_.may_hold_data(box)) {
    const StageTimer timer(tools_.meter, Stage::place, bytes);
    voxels.data = buffer_of(worker);
    source_.read(box, voxels);
  }
  {
    const StageTimer timer(tools_.meter, Stage::halve, bytes);
    // A parent is written by whoever brings its last child: behind the last chunk all is written.
    chunks_.pyramid.add(index, as_const(voxels));
  }
  tools_.progress.advance(bytes);
  if (chunks_.finished) chunks_.finished(index);
}

std::uint16_t* SweepEngine::buffer_of(int worker) {
  auto& buffer = buffers_[static_cast<std::size_t>(worker)];
  if (!buffer)
    buffer.reset(
        new std::uint16_t[static_cast<std::size_t>(count(min(tools_.spec.chunk, tools_.spec.shape)))]);
  return buffer.get();
}

}  // namespace spim::detail
