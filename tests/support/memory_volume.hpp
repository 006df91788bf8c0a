#pragma once
/// Volumes in memory: a source, a reader and a writer that watch how they are used.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "spim/host/volume_source.hpp"
#include "spim/volume_reader.hpp"
#include "spim/volume_writer.hpp"

namespace spim::test {

/// Dense voxels with an owner.
struct Voxels {
  Index3 size;
  std::vector<std::uint16_t> data;

  Voxels() = default;
  explicit Voxels(Index3 s) : size(s), data(static_cast<std::size_t>(count(s))) {}
  std::uint16_t& at(std::int64_t x, std::int64_t y, std::int64_t z) {
    return data[static_cast<std::size_t>((z * size.y + y) * size.x + x)];
  }
  std::uint16_t at(std::int64_t x, std::int64_t y, std::int64_t z) const {
    return data[static_cast<std::size_t>((z * size.y + y) * size.x + x)];
  }
  friend bool operator==(const Voxels&, const Voxels&) = default;
};

using VoxelFunction = std::function<std::uint16_t(std::int64_t x, std::int64_t y, std::int64_t z)>;

/// Region of a whole box.
ValidRegion box_region(Index3 shape);
/// Region of a stack of `frames` with `shear`, at the usual place for `direction`.
ValidRegion oblique_region(Index3 rows_and_columns, std::int64_t frames, double shear, int direction = 1);

/// A reproducible number for a voxel.
std::uint16_t noise(std::int64_t x, std::int64_t y, std::int64_t z);
std::uint16_t seeded_noise(std::int64_t x, std::int64_t y, std::int64_t z, std::uint32_t seed);

/// The whole of a source, read in one piece.
Voxels read_all(const VolumeSource& source);
Voxels read_box(const VolumeSource& source, const Box& box);

/// A source whose voxels are a function, zero outside its region. Remembers what was prepared.
class MemoryVolume final : public VolumeSource {
 public:
  MemoryVolume(const ValidRegion& region, const VoxelFunction& voxel);

  Index3 shape() const override { return region_.shape; }
  Vec3 voxel_um() const override { return voxel_um_; }
  PixelType type() const override { return type_; }
  ValidRegion region() const override { return region_; }
  /// Bytes of the voxels in the union of the boxes.
  std::int64_t memory_for(const Box& lane, std::span<const Box> boxes) const override;
  std::int64_t plan_loads(const Box& lane, std::span<const Box> boxes) override;
  void load(std::int64_t i) override;
  void read(const Box& box, VolumeView<std::uint16_t> out) const override;

  void set_voxel_um(Vec3 um) { voxel_um_ = um; }
  void set_type(PixelType type) { type_ = type; }
  const Voxels& voxels() const { return voxels_; }
  std::int64_t most_prepared() const { return most_prepared_; }
  std::int64_t plans() const { return plans_; }
  /// One for each announced box that the plan before had not.
  std::int64_t loads() const { return loads_; }
  /// Reads of boxes that no plan_loads() had announced, or that were not loaded yet.
  std::int64_t unprepared_reads() const { return unprepared_reads_; }
  std::int64_t reads() const { return reads_; }
  std::int64_t prepared_now() const { return static_cast<std::int64_t>(prepared_.size()); }

 private:
  ValidRegion region_;
  Vec3 voxel_um_{1, 1, 1};
  PixelType type_ = PixelType::u16;
  Voxels voxels_;
  struct Announced {
    Box box;
    std::shared_ptr<std::atomic<bool>> loaded;
  };
  std::vector<Announced> prepared_;
  std::vector<std::size_t> missing_;  ///< of prepared_
  std::int64_t most_prepared_ = 0;
  std::int64_t plans_ = 0;
  std::atomic<std::int64_t> loads_{0};
  mutable std::atomic<std::int64_t> unprepared_reads_{0};
  mutable std::atomic<std::int64_t> reads_{0};
};

/// One level of voxels as a stored volume. Counts how often each box was read.
class MemoryReader final : public VolumeReader {
 public:
  MemoryReader(Index3 shape, Index3 chunk, const VoxelFunction& voxel);

  VolumeInfo info() const override { return {PixelType::u16, 1}; }
  LevelInfo level(std::int32_t) const override { return {voxels_.size, chunk_, {1, 1, 1}, {}}; }
  void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) override;

  const Voxels& voxels() const { return voxels_; }
  std::int64_t reads() const { return reads_; }
  std::int64_t voxels_read() const { return voxels_read_; }
  void fail_from_now_on() { failing_ = true; }

 private:
  Voxels voxels_;
  Index3 chunk_;
  std::atomic<std::int64_t> reads_{0};
  std::atomic<std::int64_t> voxels_read_{0};
  std::atomic<bool> failing_{false};
};

/// Keeps all levels of all channels and complains (std::logic_error) about chunks that come twice, have the
/// wrong size, or lie outside.
class MemoryWriter final : public VolumeWriter {
 public:
  explicit MemoryWriter(Index3 chunk) : chunk_(chunk) {}

  Index3 chunk_shape(const VolumeSpec&) const override { return chunk_; }
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void write_zero(const ChunkAddress& chunk) override;
  void finish() override { finished_ = true; }

  const std::vector<Voxels>& levels() const { return channels_.front(); }
  const std::vector<Voxels>& channel(std::size_t channel) const { return channels_.at(channel); }
  bool finished() const { return finished_; }
  std::int64_t zero_chunks() const { return zero_chunks_; }
  std::int64_t chunks() const { return static_cast<std::int64_t>(seen_.size()); }
  /// Chunks that exist in all levels.
  std::int64_t expected_chunks() const;
  /// Throws at the n-th chunk from now on.
  void fail_after(std::int64_t n) { fail_after_ = n; }
  /// Called for each chunk, before it is taken; never twice at a time.
  std::function<void(const ChunkAddress&)> on_chunk;

 private:
  Box accept(const ChunkAddress& chunk);
  Voxels& level_of(const ChunkAddress& chunk);

  Index3 chunk_;
  VolumeSpec spec_;
  std::mutex mutex_;
  std::vector<std::vector<Voxels>> channels_{1};  ///< levels of each
  std::map<std::string, int> seen_;
  std::int64_t zero_chunks_ = 0;
  std::int64_t fail_after_ = -1;
  bool finished_ = false;
};

/// All levels of `finest` by the definition: mean over the existing voxels of each 2×2×2 group, halves up.
std::vector<Voxels> pyramid_oracle(const Voxels& finest, int levels);

}  // namespace spim::test
