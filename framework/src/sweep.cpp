#include "spim/host/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "spim/error.hpp"
#include "spim/host/pyramid.hpp"
#include "sweep_layout.hpp"
#include "wavefront.hpp"

namespace spim {

namespace {

void check(const VolumeSource& source, const VolumeSpec& spec) {
  const Index3 have = source.shape();
  if (have != spec.shape)
    throw Error(fmt::format("the output was to have {} x {} x {} voxels but its source has {} x {} x {}",
                            spec.shape.x, spec.shape.y, spec.shape.z, have.x, have.y, have.z));
  if (spec.shape.x < 1 || spec.shape.y < 1 || spec.shape.z < 1 || spec.chunk.x < 1 || spec.chunk.y < 1 ||
      spec.chunk.z < 1)
    throw Error(fmt::format("a volume of {} x {} x {} voxels in chunks of {} x {} x {} cannot be written",
                            spec.shape.x, spec.shape.y, spec.shape.z, spec.chunk.x, spec.chunk.y,
                            spec.chunk.z));
}

/// One chunk buffer per worker, made when it is first needed.
class ChunkBuffers {
 public:
  ChunkBuffers(int workers, Index3 chunk)
      : buffers_(static_cast<std::size_t>(workers)), voxels_(count(chunk)) {}
  std::uint16_t* of(int worker) {
    auto& buffer = buffers_[static_cast<std::size_t>(worker)];
    if (!buffer) buffer.reset(new std::uint16_t[static_cast<std::size_t>(voxels_)]);
    return buffer.get();
  }

 private:
  std::vector<std::unique_ptr<std::uint16_t[]>> buffers_;
  std::int64_t voxels_;
};

/// Counts what a writer takes.
class MeteredWriter final : public VolumeWriter {
 public:
  MeteredWriter(VolumeWriter& writer, const VolumeSpec& spec, StageMeter* meter)
      : writer_(writer), spec_(spec), meter_(meter) {}

  Index3 chunk_shape(const VolumeSpec& spec) const override { return writer_.chunk_shape(spec); }
  void begin(const VolumeSpec& spec) override { writer_.begin(spec); }
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override {
    const StageTimer timer(meter_, Stage::encode, count(voxels.size) * bytes_of(spec_.type));
    writer_.write(chunk, voxels);
  }
  void write_zero(const ChunkAddress& chunk) override { writer_.write_zero(chunk); }
  void finish() override { writer_.finish(); }

 private:
  VolumeWriter& writer_;
  const VolumeSpec& spec_;
  StageMeter* meter_;
};

/// One sweep at work.
class Sweeper {
 public:
  Sweeper(VolumeSource& source, Pyramid& pyramid, const VolumeSpec& spec, const Executor& executor,
          Progress& progress, StageMeter* meter)
      : source_(source),
        pyramid_(pyramid),
        spec_(spec),
        executor_(executor),
        progress_(progress),
        meter_(meter),
        buffers_(executor.workers(), min(spec.chunk, spec.shape)) {}

  void run(const detail::SweepLayout& layout) {
    for (const detail::Lane& lane : layout.lanes) {
      const detail::Wavefront front(spec_, source_.region(), lane);
      for (const std::vector<detail::Column>& step : front.steps()) run_step(lane, step);
    }
    source_.prepare({}, executor_);
  }

 private:
  void run_step(const detail::Lane& lane, const std::vector<detail::Column>& step) {
    source_.prepare(detail::step_boxes(source_, spec_, lane, step), executor_);
    const std::int64_t rows = lane.y_end - lane.y_begin;
    executor_.parallel_for(static_cast<std::int64_t>(step.size()) * rows, [&](std::int64_t i, int worker) {
      const detail::Column& column = step[static_cast<std::size_t>(i / rows)];
      run_chunk({column.x, lane.y_begin + i % rows, column.z}, worker);
    });
  }

  void run_chunk(Index3 index, int worker) {
    const Index3 begin{index.x * spec_.chunk.x, index.y * spec_.chunk.y, index.z * spec_.chunk.z};
    const Box box{begin, min(begin + spec_.chunk, spec_.shape)};
    VolumeView<std::uint16_t> voxels = dense_view<std::uint16_t>(nullptr, box.size());
    const std::int64_t bytes = count(box.size()) * bytes_of(spec_.type);
    if (source_.may_hold_data(box)) {
      const StageTimer timer(meter_, Stage::place, bytes);
      voxels.data = buffers_.of(worker);
      source_.read(box, voxels);
    }
    {
      const StageTimer timer(meter_, Stage::halve, bytes);
      pyramid_.add(index, as_const(voxels));
    }
    progress_.advance(bytes);
  }

  VolumeSource& source_;
  Pyramid& pyramid_;
  const VolumeSpec& spec_;
  const Executor& executor_;
  Progress& progress_;
  StageMeter* meter_;
  ChunkBuffers buffers_;
};

}  // namespace

SweepPlan plan_sweep(const VolumeSource& source, const VolumeSpec& spec, const Executor& executor,
                     const SweepSettings& settings) {
  check(source, spec);
  const detail::SweepLayout layout = detail::layout_sweep(source, spec, executor, settings);
  const detail::Lane& first = layout.lanes.front();
  const Index3 lane{ceil_div(spec.shape.x, spec.chunk.x), first.y_end - first.y_begin,
                    first.z_end - first.z_begin};
  return {layout.memory_bytes,
          static_cast<std::int64_t>(layout.lanes.size()),
          std::min(lane.z * spec.chunk.z, spec.shape.z),
          lane,
          count(ceil_div(spec.shape, spec.chunk)),
          source.cost().whole_frame};
}

SweepReport sweep(VolumeSource& source, VolumeWriter& writer, const VolumeSpec& spec,
                  const Executor& executor, const SweepSettings& settings, Progress& progress) {
  VolumeSource* const channels[] = {&source};
  return sweep(channels, writer, spec, executor, settings, progress);
}

SweepReport sweep(std::span<VolumeSource* const> channels, VolumeWriter& writer, const VolumeSpec& wanted,
                  const Executor& executor, const SweepSettings& settings, Progress& progress) {
  VolumeSpec spec = wanted;
  if (spec.channel_count != static_cast<std::int32_t>(channels.size()))
    throw Error(fmt::format("the output was to have {} channels but {} volumes are there to be written",
                            spec.channel_count, channels.size()));
  spec.chunk = writer.chunk_shape(wanted);
  std::vector<detail::SweepLayout> layouts;
  for (const VolumeSource* source : channels) {
    check(*source, spec);
    layouts.push_back(detail::layout_sweep(*source, spec, executor, settings));
  }
  writer.begin(spec);
  progress.begin("writing the volume", count(spec.shape) * bytes_of(spec.type) * spec.channel_count);
  SweepReport report;
  for (std::int32_t channel = 0; channel < spec.channel_count; ++channel) {
    const auto i = static_cast<std::size_t>(channel);
    MeteredWriter metered(writer, spec, settings.meter);
    Pyramid pyramid(metered, spec, channel);
    Sweeper(*channels[i], pyramid, spec, executor, progress, settings.meter).run(layouts[i]);
    report.chunks_written += pyramid.chunks();
    report.chunks_zero += pyramid.zero_chunks();
    report.voxels += count(spec.shape);
  }
  executor.cancel().check();
  writer.finish();
  progress.end();
  return report;
}

}  // namespace spim
