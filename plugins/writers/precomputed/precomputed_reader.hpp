#pragma once
/// Reads Neuroglancer precomputed volumes, sharded and not, whose chunks are raw voxels.

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chunk_order.hpp"
#include "common/chunk_grid.hpp"
#include "common/precomputed_info.hpp"
#include "common/samples.hpp"
#include "common/scratch.hpp"
#include "common/totals.hpp"
#include "spim/options.hpp"
#include "spim/volume_reader.hpp"

namespace spim::precomputed {

/// `path` is the folder that holds `info`. Chunks without a file or an entry are zero. Files are opened for
/// each call and closed again, so that a mosaic of hundreds of volumes stays below the limit of open files.
class PrecomputedReader final : public VolumeReader {
 public:
  static constexpr OptionSpec kOptions[] = {
      integer_option("channel", "0", 0, 1e6, "which channel of a volume with several, counted from 0")};

  PrecomputedReader(Host& host, const Options& options, std::string_view path);

  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  VolumeInfo info() const override;
  LevelInfo level(std::int32_t level) const override;
  void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) override;
  void describe(MetadataSink& sink) override;

 private:
  struct Level {
    std::filesystem::path folder;
    chunked::PrecomputedScale scale;
    chunked::ChunkGrid grid;
    std::optional<ChunkOrder> order;  ///< of sharded scales
    LevelInfo info;
  };

  void add_level(const std::filesystem::path& root, const chunked::PrecomputedScale& scale);
  std::size_t chunk_bytes(const Level& level, Index3 chunk) const;
  /// Copies what chunk and box share; `stored` is empty when the chunk is absent.
  void copy_chunk(const Level& level, Index3 chunk, std::span<const std::byte> samples, const Box& box,
                  VolumeView<std::uint16_t> out) const;
  void read_files(const Level& level, const Box& box, VolumeView<std::uint16_t> out) const;
  void read_shards(const Level& level, const Box& box, VolumeView<std::uint16_t> out) const;
  /// The decoded samples of a chunk with a file of its own; empty when there is none.
  std::span<const std::byte> load_file(const Level& level, Index3 chunk) const;
  void count_stored(const Level& level, chunked::StoredTotals& totals) const;

  Host& host_;
  std::int64_t channel_;
  chunked::PrecomputedInfo info_;
  std::vector<Level> levels_;
};

}  // namespace spim::precomputed
