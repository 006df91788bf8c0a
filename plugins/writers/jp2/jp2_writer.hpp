#pragma once
/// Writes one plane as a JP2 file.

#include <optional>
#include <vector>

#include "common/file.hpp"
#include "encode.hpp"
#include "spim/options.hpp"
#include "spim/volume_writer.hpp"

namespace spim::jp2 {

/// The plane is one chunk, so that it is compressed in one go by whoever brings it. A file holds one plane;
/// the planes of a volume go to files of their own.
class Jp2Writer final : public VolumeWriter {
 public:
  static constexpr OptionSpec kOptions[] = {
      text_option(
          "psnr", "0",
          "peak signal to noise ratios of the quality layers in dB, rising, separated by commas; a last "
          "one of 0 is lossless"),
      integer_option(
          "tile", "-1", -1, 65536,
          "edge of a tile in samples; 0 for none, -1 for tiles of 2048 where a plane has more than "
          "4096 x 4096 samples")};

  Jp2Writer(Host& host, const Options& options, std::string_view path);

  Index3 chunk_shape(const VolumeSpec& spec) const override;
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void write_zero(const ChunkAddress& chunk) override;
  void finish() override;
  void describe(MetadataSink& sink) override;
  /// What write() takes for the plane.
  std::int64_t memory_bytes(const VolumeSpec& spec) const override;

 private:
  bool looks(const VolumeSpec& spec) const;
  std::int64_t compress(ImageView<const std::uint16_t> plane) const;

  std::filesystem::path path_;
  EncodeSettings settings_;
  std::int64_t tile_;
  VolumeSpec spec_;
  std::optional<chunked::File> file_;
  std::size_t head_size_ = 0;
  std::int64_t codestream_bytes_ = 0;  ///< 0 until the plane has been written
};

}  // namespace spim::jp2
