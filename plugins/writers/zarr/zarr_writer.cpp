#include "zarr_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "array_metadata.hpp"
#include "common/file.hpp"
#include "common/samples.hpp"
#include "common/totals.hpp"
#include "common/volume_checks.hpp"
#include "ome_metadata.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kDefaultChunk = 128;

/// Creates the file of a chunk, and the folders above it when it is the first in them.
chunked::File create_chunk_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path.parent_path(), ignored)) chunked::create_folders(path.parent_path());
  return chunked::File::create(path);
}

}  // namespace

ZarrWriter::ZarrWriter(Host&, const Options& options, std::string_view path)
    : path_(path),
      codec_(chunked::blosc_settings(options)),
      channel_name_(options.text("channel-name")),
      channel_color_(options.text("channel-color")) {
  const bool hexadecimal = std::all_of(channel_color_.begin(), channel_color_.end(),
                                       [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (channel_color_.size() != 6 || !hexadecimal)
    throw UsageError(fmt::format(
        "channel-color is \"{}\"; six hexadecimal digits such as 00FF00 are expected", channel_color_));
}

Index3 ZarrWriter::chunk_shape(const VolumeSpec& spec) const {
  return chunked::chunk_or_default(spec, kDefaultChunk);
}

void ZarrWriter::begin(const VolumeSpec& spec) {
  chunked::check_spec(spec);
  spec_ = spec;
  name_ = spec.name != nullptr && *spec.name != '\0' ? spec.name : "volume";
  spec_.name = "";  // borrowed
  chunked::create_folder(path_);
  for (std::int32_t level = 0; level < spec.levels; ++level)
    chunked::create_folder(path_ / fmt::format("{}", level));
}

void ZarrWriter::write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) {
  chunked::check_chunk(spec_, chunk, voxels.size);
  if (chunked::all_zero(voxels)) return;
  static thread_local chunked::Scratch samples, frame;
  const auto bytes = chunked::gather_samples(voxels, spec_.type, spec_.chunk, samples);
  const auto encoded =
      chunked::blosc_encode(codec_, static_cast<std::size_t>(bytes_of(spec_.type)), bytes, frame);
  // The coarsest level sees the whole volume at a fraction of the cost.
  if (chunk.level == spec_.levels - 1) window_.sample(voxels);

  const Index3 i = chunk.index;
  chunked::File file = create_chunk_file(path_ / fmt::format("{}/0/0/{}/{}/{}", chunk.level, i.z, i.y, i.x));
  file.write(0, encoded);
  file.close();
  chunks_ += 1;
  stored_bytes_ += static_cast<std::int64_t>(encoded.size());
}

void ZarrWriter::finish() {
  chunked::check_begun(spec_);
  for (std::int32_t level = 0; level < spec_.levels; ++level)
    chunked::write_text(path_ / fmt::format("{}/.zarray", level),
                        encode_array({level_shape(spec_.shape, level), spec_.chunk}, spec_.type, codec_));
  chunked::write_text(path_ / ".zgroup", "{\n    \"zarr_format\": 2\n}\n");
  const std::int64_t largest = spec_.type == PixelType::u8 ? 255 : 65535;
  const ChannelLook look{channel_name_.empty() ? name_ : channel_name_, channel_color_,
                         window_.range(largest)};
  chunked::write_text(path_ / ".zattrs", encode_ome(spec_, name_, look));
}

void ZarrWriter::describe(MetadataSink& sink) {
  sink.text("format", "OME-Zarr 0.4");
  sink.text("codec", chunked::blosc_describe(codec_));
  chunked::describe_totals(sink, chunked::written_totals(spec_, chunks_, stored_bytes_));
}

}  // namespace spim::zarr
