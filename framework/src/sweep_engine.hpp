#pragma once
/// Walking through the chunks of a source in the order of the wavefront, its reads ahead of its writes.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "spim/host/executor.hpp"
#include "spim/host/progress.hpp"
#include "spim/host/pyramid.hpp"
#include "spim/host/stage_meter.hpp"
#include "spim/host/volume_source.hpp"
#include "spim/volume_writer.hpp"
#include "sweep_layout.hpp"
#include "wavefront.hpp"

namespace spim::detail {

/// Which chunks are swept, and what becomes of them.
struct SweptChunks {
  Pyramid& pyramid;                         ///< takes them
  std::function<bool(Index3)> wanted = {};  ///< all without it. [one thread]
  std::function<void(Index3)> finished =
      {};  ///< when a chunk and all that it completes are written. [any thread]
};

/// What a sweep works with. References outlive it.
struct SweepTools {
  const VolumeSpec& spec;
  const Executor& executor;
  Progress& progress;
  StageMeter* meter = nullptr;
};

/// Gives chunks of level 0 of a source to a pyramid. While the chunks of one step are computed, compressed
/// and written, the same workers load what the next step needs (SweepLayout::reads_ahead).
class SweepEngine {
 public:
  SweepEngine(VolumeSource& source, const SweptChunks& chunks, const SweepTools& tools);

  /// Of all wanted chunks: what progress counts in.
  std::int64_t bytes() const;
  void run(const SweepLayout& layout);

 private:
  /// What is done of a step of the wavefront. Only one and the next exist: a volume has far more chunks than
  /// columns.
  struct Step {
    std::size_t number = 0;
    std::vector<Index3> chunks;
    std::vector<Box> boxes;  ///< of their columns, as far as they may hold data
  };
  Box box_of(Index3 chunk) const noexcept;
  /// The first step from `number` on that has wanted chunks; without chunks when there is none.
  Step next_step(const Lane& lane, const Wavefront& front, std::size_t number) const;
  void run_lane(const Lane& lane, bool ahead);
  /// Does all chunks of `step` and all loads, both evenly mixed.
  void work(const std::vector<Index3>& chunks, std::int64_t loads);
  void run_chunk(Index3 index, int worker);
  std::uint16_t* buffer_of(int worker);

  VolumeSource& source_;
  SweptChunks chunks_;
  SweepTools tools_;
  std::vector<std::unique_ptr<std::uint16_t[]>> buffers_;  ///< a chunk of each worker, made when first needed
};

/// Counts what a writer takes as Stage::encode.
class MeteredWriter final : public VolumeWriter {
 public:
  /// References outlive this; `meter` may be null.
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

}  // namespace spim::detail
