#pragma once
/// Writes blockfs volumes: `info` and one folder per level with a directory file and block files.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "block_directory.hpp"
#include "common/blosc_codec.hpp"
#include "common/file.hpp"
#include "spim/options.hpp"
#include "spim/volume_writer.hpp"

namespace spim::blockfs {

/// Blocks are compressed in the caller's thread and appended to their file at an offset that is reserved with
/// one atomic addition, so that any number of threads writes without waiting for each other. Memory does not
/// grow with the volume: entries go to the directory file at once, and its header, without which nothing can
/// be read, in finish().
class BlockfsWriter final : public VolumeWriter {
 public:
  static constexpr OptionSpec kOptions[] = {
      chunked::kCodecOption, chunked::kCodecLevelOption, chunked::kShuffleOption,
      integer_option("files", "8", 1, 1024, "block files per level; more let more threads append at once"),
      text_option(
          "absolute-names", "",
          "final absolute path of the volume, put in front of the block file names for programs that look "
          "names up from their working folder; empty writes relative names, which survive moving")};

  BlockfsWriter(Host& host, const Options& options, std::string_view path);
  ~BlockfsWriter() override;

  Index3 chunk_shape(const VolumeSpec& spec) const override;
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void finish() override;
  void describe(MetadataSink& sink) override;

 private:
  struct Level;

  std::unique_ptr<Level> create_level(std::int32_t level) const;

  std::filesystem::path path_;
  chunked::BloscSettings codec_;
  std::int64_t files_;
  std::string absolute_names_;
  VolumeSpec spec_;
  std::vector<std::unique_ptr<Level>> levels_;
  std::atomic<std::int64_t> blocks_{0};
  std::atomic<std::int64_t> stored_bytes_{0};
};

}  // namespace spim::blockfs
