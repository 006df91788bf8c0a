#pragma once
/// Writes Neuroglancer precomputed volumes: `info` and one folder per level.

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/part_files.hpp"
#include "common/precomputed_info.hpp"
#include "common/shard_files.hpp"
#include "common/shard_options.hpp"
#include "precomputed_shards.hpp"
#include "spim/options.hpp"
#include "spim/volume_writer.hpp"

namespace spim::precomputed {

/// Chunks are raw voxels, cut at the volume's edge, compressed with gzip or not in the caller's thread; each
/// is a file of its own or lies in a shard. `info` is written last.
class PrecomputedWriter final : public VolumeWriter {
 public:
  static constexpr OptionSpec kOptions[] = {
      chunked::kShardOption, chunked::kShardMemoryOption,
      choice_option(
          "compression", "gzip", "gzip|none",
          "of chunks; gzip without shards makes files NAME.gz, which not every web server gives out"),
      integer_option("level", "3", 1, 9, "level of gzip")};

  PrecomputedWriter(Host& host, const Options& options, std::string_view path);

  Index3 chunk_shape(const VolumeSpec& spec) const override;
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void write_zero(const ChunkAddress& chunk) override;
  void finish() override;
  void describe(MetadataSink& sink) override;
  std::int64_t memory_bytes(const VolumeSpec& spec) const override;

  /// A chunk, or the least box that is made of whole shards on all levels.
  Index3 unit_shape(const VolumeSpec& spec) const override;
  void join(const VolumeSpec& spec, const PartName& part) override;
  void finish_part(FileSink& files) override;
  void read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) override;

 private:
  bool sharded() const noexcept { return shard_ != Index3{}; }
  void remember(const VolumeSpec& spec);
  void open_shards(std::int64_t memory);
  /// Relative to the volume; of volumes without shards.
  std::string chunk_path(const ChunkAddress& chunk) const;
  void store(const ChunkAddress& chunk, std::span<const std::byte> encoded);
  std::span<const std::byte> stored_bytes(const ChunkAddress& chunk) const;

  Host& host_;
  std::filesystem::path path_;
  Index3 shard_;  ///< voxels; {0,0,0} for none
  std::int64_t shard_memory_;
  bool gzip_;
  int level_;
  VolumeSpec spec_;
  chunked::PrecomputedInfo info_;
  std::unique_ptr<chunked::PartFiles> part_;  ///< after join()
  std::optional<PrecomputedShards> shard_format_;
  std::optional<chunked::ShardFiles> shards_;
  std::atomic<std::int64_t> chunks_{0};
  std::atomic<std::int64_t> stored_bytes_{0};
};

}  // namespace spim::precomputed
