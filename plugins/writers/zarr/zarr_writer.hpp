#pragma once
/// Writes OME-Zarr: a group with one 5-D array (t,c,z,y,x) per level; 0.4 in Zarr v2 or 0.5 in Zarr v3, the
/// latter with many chunks in one file if wanted.

#include <atomic>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/part_files.hpp"
#include "display_window.hpp"
#include "ome_metadata.hpp"
#include "spim/options.hpp"
#include "spim/volume_writer.hpp"
#include "zarr_options.hpp"
#include "zarr_shards.hpp"

namespace spim::zarr {

/// Chunks are compressed in the caller's thread, padded with zeros to full size at the edge. Without shards
/// each is a file of its own, `<level>/0/<channel>/<iz>/<iy>/<ix>` (v2) or
/// `<level>/c/0/<channel>/<iz>/<iy>/<ix>` (v3). All metadata are written in finish(), those of the group
/// last.
class ZarrWriter final : public VolumeWriter {
 public:
  static constexpr const auto& kOptions = kWriterOptions;

  ZarrWriter(Host& host, const Options& options, std::string_view path);

  Index3 chunk_shape(const VolumeSpec& spec) const override;
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void write_zero(const ChunkAddress& chunk) override;
  void finish() override;
  void describe(MetadataSink& sink) override;
  std::int32_t most_channels() const override { return kMostChannels; }
  std::int64_t memory_bytes(const VolumeSpec& spec) const override;

  /// A chunk or a shard.
  Index3 unit_shape(const VolumeSpec& spec) const override;
  void join(const VolumeSpec& spec, const PartName& part) override;
  void finish_part(FileSink& files) override;
  void read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) override;

 private:
  static constexpr std::int32_t kMostChannels = 1024;

  void remember(const VolumeSpec& spec);
  std::string chunk_path(const ChunkAddress& chunk) const;
  void open_shards(std::int64_t memory);
  void store(const ChunkAddress& chunk, std::span<const std::byte> encoded);
  std::span<const std::byte> stored_bytes(const ChunkAddress& chunk) const;
  void store_metadata(const std::filesystem::path& path, std::string_view text) const;
  bool shows_its_window(const ChunkAddress& chunk) const;
  void sample_stored_chunks();
  void write_arrays() const;
  void write_group() const;
  std::vector<ChannelLook> looks() const;

  Host& host_;
  std::filesystem::path path_;
  WriterSettings settings_;
  std::string name_;
  VolumeSpec spec_;
  std::vector<ChannelLook> channels_;  ///< as begin() was given them: what is empty is chosen in finish()
  std::unique_ptr<chunked::PartFiles> part_;  ///< after join()
  std::optional<ZarrShards> shard_format_;
  std::optional<chunked::ShardFiles> shards_;
  std::deque<DisplayWindow> windows_;  ///< of each channel
  std::atomic<std::int64_t> chunks_{0};
  std::atomic<std::int64_t> stored_bytes_{0};
};

}  // namespace spim::zarr
