#include "zarr_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/shard_options.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace {

Compressor compressor_of(std::string_view word) {
  if (word == "zstd") return Compressor::zstd;
  if (word == "gzip") return Compressor::gzip;
  return word == "none" ? Compressor::none : Compressor::blosc;
}

}  // namespace

void check_color(const std::string& color) {
  const bool hexadecimal =
      std::all_of(color.begin(), color.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (color.size() != 6 || !hexadecimal)
    throw UsageError(fmt::format(
        "the colour of a channel is \"{}\"; six hexadecimal digits such as 00FF00 are expected", color));
}

WriterSettings::WriterSettings(const Options& options)
    : zarr_format(static_cast<int>(options.integer("zarr-format"))),
      shard(chunked::shard_shape(options)),
      index(options.text("shard-index") == "start" ? IndexLocation::start : IndexLocation::end),
      shard_memory(chunked::shard_memory(options)),
      codec{compressor_of(options.text("compressor")), chunked::blosc_settings(options)},
      checksum(zarr_format == 3 && options.boolean("checksum")),
      channel_name(options.text("channel-name")),
      channel_color(options.text("channel-color")) {
  check_color(channel_color);
  if (shard != Index3{} && zarr_format != 3)
    throw UsageError("Zarr version 2 has no shards; give zarr-format 3 or no shard");
}

}  // namespace spim::zarr
