#pragma once
/// Reads blockfs volumes, those of the original Python library included.

#include <filesystem>
#include <string>
#include <vector>

#include "block_directory.hpp"
#include "common/totals.hpp"
#include "spim/options.hpp"
#include "spim/volume_reader.hpp"

namespace spim::blockfs {

/// `path` is the folder of a volume (all its levels 1_1_1, 2_2_2, …), the folder of one level, or a directory
/// file (that level alone). Voxel sizes come from `info` in the volume's folder; without it they are 0.
///
/// Block files named by an absolute path are opened there or, when they are gone, beside the directory file;
/// relative names are looked for beside the directory file, as a path and then by their last part alone.
/// Files are opened for each block and closed again, so that a mosaic of hundreds of volumes stays below the
/// limit of open files.
class BlockfsReader final : public VolumeReader {
 public:
  BlockfsReader(Host& host, const Options& options, std::string_view path);

  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  VolumeInfo info() const override;
  LevelInfo level(std::int32_t level) const override;
  void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) override;
  void describe(MetadataSink& sink) override;

 private:
  struct Level {
    std::filesystem::path path;  ///< of the directory file
    BlockDirectory directory;
    LevelInfo info;
  };

  void open_level(const std::filesystem::path& directory_file);
  void read_info(const std::filesystem::path& root);
  /// The block's stored frame in this thread's scratch memory; empty when the block is zero.
  std::span<const std::byte> load_frame(const Level& level, Index3 block) const;
  /// Adds the entries of one level; sets `codec` from the first stored block when it is still empty.
  void count_stored(const Level& level, chunked::StoredTotals& totals, std::string& codec) const;
  std::string stored_codec(const Level& level, std::uint64_t entry, BlockPlace place) const;

  Host& host_;
  std::vector<Level> levels_;
};

}  // namespace spim::blockfs
