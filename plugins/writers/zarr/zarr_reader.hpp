#pragma once
/// Reads Zarr v2 and v3: OME-Zarr images (0.1 to 0.5) and single arrays, of three to five axes.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "array_metadata.hpp"
#include "common/totals.hpp"
#include "spim/options.hpp"
#include "spim/volume_reader.hpp"

namespace spim::zarr {

/// `path` is the folder of a group with "multiscales" (all its levels) or of one array. The volume is the
/// last three axes, at the chosen channel and time. Voxels of chunks that do not exist have the array's fill
/// value.
class ZarrReader final : public VolumeReader {
 public:
  static constexpr OptionSpec kOptions[] = {
      integer_option("channel", "0", 0, 1e6, "which channel of an image with several, counted from 0"),
      integer_option("time", "0", 0, 1e9, "which time point of an image with several, counted from 0")};

  ZarrReader(Host& host, const Options& options, std::string_view path);

  static int probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept;

  VolumeInfo info() const override;
  LevelInfo level(std::int32_t level) const override;
  void read(std::int32_t level, const Box& box, VolumeView<std::uint16_t> out) override;
  void describe(MetadataSink& sink) override;

 private:
  struct Level {
    std::filesystem::path path;  ///< of the array's folder
    ArrayMetadata array;
    LevelInfo info;
    std::string prefix;             ///< of the names of chunks or shards: all in front of z, e.g. "c/0/2/"
    std::int64_t chunk_offset = 0;  ///< bytes in a decoded chunk before the chosen channel and time
    std::int32_t channels = 1;
    std::size_t first_slot = 0;  ///< in a shard: the first chunk of the chosen channel and time
  };
  struct Choice {
    std::int64_t time = 0, channel = 0;
  };

  void open_group(const std::filesystem::path& group, const char* metadata);
  /// `axes` are the names of all axes, or empty when the file does not say.
  Level open_array(const std::filesystem::path& folder, const std::vector<std::string>& axes) const;
  void choose_leading(Level& level, const std::vector<std::string>& axes) const;
  std::filesystem::path file_of(const Level& level, Index3 index) const;
  /// The voxels that chunk `index` and `box` share; `stored` is empty when the chunk is absent.
  void copy_chunk(const Level& level, Index3 index, std::span<const std::byte> stored, const Box& box,
                  VolumeView<std::uint16_t> out) const;
  void read_chunks(const Level& level, const Box& box, VolumeView<std::uint16_t> out) const;
  void read_shards(const Level& level, const Box& box, VolumeView<std::uint16_t> out) const;
  void count_stored(const Level& level, chunked::StoredTotals& totals) const;

  Host& host_;
  Choice choice_;
  std::vector<Level> levels_;
  int version_ = 2;  ///< of Zarr, of the first level
};

}  // namespace spim::zarr
