#pragma once
/// Writes blockfs volumes: `info` and one folder per level with a directory file and block files.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "block_columns.hpp"
#include "block_directory.hpp"
#include "common/blosc_codec.hpp"
#include "common/file.hpp"
#include "spim/options.hpp"
#include "spim/volume_writer.hpp"

namespace spim::blockfs {

/// Blocks are compressed in the caller's thread and appended to their file at an offset that is reserved with
/// one atomic addition, so that any number of threads writes without waiting for each other. Memory does not
/// grow with the volume: entries go to the directory file at once, and its header, without which nothing can
/// be read, in finish(). Volumes in parts have a file for each column of blocks along y instead
/// (BlockColumns).
class BlockfsWriter final : public VolumeWriter {
 public:
  static constexpr OptionSpec kOptions[] = {
      chunked::kCodecOption, chunked::kCodecLevelOption, chunked::kShuffleOption,
      integer_option(
          "files", "8", 1, 1024,
          "block files per level; more let more threads append at once. A volume in parts (the pipeline's) "
          "has one for each column of blocks along y"),
      text_option(
          "absolute-names", "",
          "final absolute path of the volume, put in front of the block file names for programs that look "
          "names up from their working folder; empty writes relative names, which survive moving")};

  BlockfsWriter(Host& host, const Options& options, std::string_view path);
  ~BlockfsWriter() override;

  Index3 chunk_shape(const VolumeSpec& spec) const override;
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void write_zero(const ChunkAddress& chunk) override;
  void finish() override;
  void describe(MetadataSink& sink) override;

  Index3 unit_shape(const VolumeSpec& spec) const override;
  void join(const VolumeSpec& spec, const PartName& part) override;
  void finish_part(FileSink& files) override;
  void read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) override;

 private:
  struct Level;

  void remember(const VolumeSpec& spec);
  std::int64_t most_columns() const;
  std::vector<std::string> block_file_names(std::int32_t level, std::int64_t count) const;
  void write_merged_directory(std::int32_t level) const;
  std::unique_ptr<Level> create_level(std::int32_t level) const;

  std::filesystem::path path_;
  chunked::BloscSettings codec_;
  std::int64_t files_;
  std::string absolute_names_;
  VolumeSpec spec_;
  std::vector<std::unique_ptr<Level>> levels_;
  std::unique_ptr<BlockColumns> columns_;  ///< after join()
  std::atomic<std::int64_t> blocks_{0};
  std::atomic<std::int64_t> stored_bytes_{0};
};

}  // namespace spim::blockfs
