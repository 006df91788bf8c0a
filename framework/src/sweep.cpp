#include "spim/host/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "spim/error.hpp"
#include "spim/host/pyramid.hpp"
#include "sweep_engine.hpp"
#include "sweep_layout.hpp"

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
          layout.corrections,
          layout.reads_ahead};
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
    detail::MeteredWriter metered(writer, spec, settings.meter);
    Pyramid pyramid(metered, spec, channel);
    detail::SweepEngine(*channels[i], {pyramid}, {spec, executor, progress, settings.meter}).run(layouts[i]);
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
