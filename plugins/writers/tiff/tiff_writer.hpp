#pragma once
/// Writes a volume as one TIFF or BigTIFF file, a page for each plane z.

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "block_encoder.hpp"
#include "common/file.hpp"
#include "directory.hpp"
#include "spim/options.hpp"
#include "spim/volume_writer.hpp"
#include "tiff_metadata.hpp"

namespace spim {

/// Strips and tiles are encoded by the thread that brings them and appended where the file ends; directories
/// and the header, without which nothing can be read, are written at the end. Reentrant.
class TiffWriter final : public VolumeWriter {
 public:
  /// Options: compression, level, predictor, tile, ome.
  TiffWriter(Host& host, const Options& options, std::string_view path);

  Index3 chunk_shape(const VolumeSpec& spec) const override;
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void write_zero(const ChunkAddress& chunk) override;
  void finish() override;
  void describe(MetadataSink& sink) override;

 private:
  /// A stored strip or tile.
  struct Block {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };
  /// A level in the file.
  struct Level {
    Index3 shape;
    Index3 grid;  ///< of blocks; grid.z pages
    std::int64_t tile_x = 0, tile_y = 0;
    std::uint64_t begin = 0;    ///< of its blocks in a file that is not compressed
    std::vector<Block> blocks;  ///< x fastest, then y, then page
  };

  bool tiled() const noexcept { return spec_.chunk.x < spec_.shape.x || must_tile(spec_); }
  bool must_tile(const VolumeSpec& spec) const noexcept { return ome_ && spec.levels > 1; }
  Level make_level(std::int32_t level) const;
  tiff::BlockShape block_shape(const Level& level, Index3 size) const noexcept;
  void store(Level& level, Index3 index, ImageView<const std::uint16_t> voxels);
  void store_coarser(Index3 index, ImageView<const std::uint16_t> voxels);
  void store_zero(Level& level, Index3 index);
  std::uint64_t place_in_plain_file(const Level& level, Index3 index) const noexcept;
  Block& block_at(Level& level, Index3 index) const noexcept;
  void check_complete() const;
  tiff::Directory directory_of(const Level& level, std::int64_t page) const;
  void add_description(tiff::Directory& directory) const;
  std::vector<std::uint64_t> write_coarser_pages(std::int64_t page, std::vector<std::byte>& bytes,
                                                 std::uint64_t place) const;
  std::uint64_t write_pages();

  std::string path_;
  tiff::Encoding encoding_;
  std::int64_t tile_;
  bool ome_;
  VolumeSpec spec_;
  tiff::Description description_;
  tiff::Variant variant_ = tiff::Variant::classic;
  std::vector<Level> levels_;
  std::optional<chunked::File> file_;
  std::atomic<std::uint64_t> end_{0};  ///< of the file
  std::uint64_t bytes_written_ = 0;    ///< after finish()

  struct ZeroBlock {
    tiff::BlockShape shape;
    Block block;
  };
  std::mutex zero_mutex_;
  std::vector<ZeroBlock> zeros_;  ///< blocks of zeros are stored once
};

}  // namespace spim
