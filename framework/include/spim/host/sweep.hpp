#pragma once
/// From a volume source to a writer in one pass: chunks in wavefront order, the pyramid from memory.

#include <cstdint>
#include <span>

#include "spim/host/executor.hpp"
#include "spim/host/progress.hpp"
#include "spim/host/stage_meter.hpp"
#include "spim/host/volume_source.hpp"
#include "spim/volume_writer.hpp"

namespace spim {

struct SweepSettings {
  std::int64_t memory_bytes = 0;  ///< ceiling for everything the sweep keeps; > 0
  std::int64_t writer_bytes = 0;  ///< of these, what the writer keeps: VolumeWriter::memory_bytes()
  StageMeter* meter = nullptr;    ///< counts place, halve and encode
  Index3 unit = {};               ///< voxels that the writer finishes together; 0 when that does not matter
};

/// What a sweep is going to need; printed by commands before they start.
struct SweepPlan {
  std::int64_t memory_bytes = 0;  ///< peak of what the sweep keeps
  std::int64_t lanes = 0;         ///< bands of y and z that are swept one after the other
  std::int64_t slab = 0;          ///< planes of z that are worked on at a time; all unless lanes cut z
  Index3 lane_chunks;             ///< of the largest lane, in y and z
  std::int64_t chunks = 0;        ///< of level 0
  double corrections = 1;         ///< of a frame on average: once for each lane that it is part of
  bool reads_ahead = false;       ///< there is memory to load what comes next during what is worked on
};

struct SweepReport {
  std::int64_t chunks_written = 0;  ///< all levels
  std::int64_t chunks_zero = 0;     ///< all levels
  std::int64_t voxels = 0;          ///< level 0
};

/// Chooses the lanes for `spec` (whose chunk is the writer's). A source that decodes cells (Grain) is walked
/// through in slabs of whole cells where its memory or flat chunks (one plane thick) ask for that, so that
/// every cell is decoded once and flat chunks of one z follow each other. Throws Error naming the bytes that
/// would be needed when even the smallest lane does not fit.
SweepPlan plan_sweep(const VolumeSource& source, const VolumeSpec& spec, const Executor& executor,
                     const SweepSettings& settings);

/// Computes every chunk of every level and gives it to `writer` (begin … finish are called here). The result
/// does not depend on the number of workers or on the memory.
SweepReport sweep(VolumeSource& source, VolumeWriter& writer, const VolumeSpec& spec,
                  const Executor& executor, const SweepSettings& settings, Progress& progress);

/// The same for the channels of a volume, one after the other: spec.channel_count sources of one shape.
SweepReport sweep(std::span<VolumeSource* const> channels, VolumeWriter& writer, const VolumeSpec& spec,
                  const Executor& executor, const SweepSettings& settings, Progress& progress);

}  // namespace spim
