#pragma once
/// Writes OME-Zarr 0.4: a Zarr v2 group with one 5-D array (t,c,z,y,x) per level.

#include <atomic>
#include <filesystem>
#include <string>

#include "common/blosc_codec.hpp"
#include "display_window.hpp"
#include "spim/options.hpp"
#include "spim/volume_writer.hpp"

namespace spim::zarr {

/// One file per chunk, `<level>/0/0/<iz>/<iy>/<ix>`, compressed and written in the caller's thread; chunks at
/// the edge are padded with zeros to full size. All metadata are written in finish(), `.zattrs` last.
class ZarrWriter final : public VolumeWriter {
 public:
  static constexpr OptionSpec kOptions[] = {
      chunked::kCodecOption, chunked::kCodecLevelOption, chunked::kShuffleOption,
      text_option("channel-name", "", "label of the channel in viewers; empty takes the name of the volume"),
      text_option("channel-color", "FFFFFF",
                  "colour of the channel in viewers, six hexadecimal digits RRGGBB")};

  ZarrWriter(Host& host, const Options& options, std::string_view path);

  Index3 chunk_shape(const VolumeSpec& spec) const override;
  void begin(const VolumeSpec& spec) override;
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override;
  void finish() override;
  void describe(MetadataSink& sink) override;

 private:
  std::filesystem::path path_;
  chunked::BloscSettings codec_;
  std::string channel_name_, channel_color_;
  std::string name_;
  VolumeSpec spec_;
  DisplayWindow window_;
  std::atomic<std::int64_t> chunks_{0};
  std::atomic<std::int64_t> stored_bytes_{0};
};

}  // namespace spim::zarr
