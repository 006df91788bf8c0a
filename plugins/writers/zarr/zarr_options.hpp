#pragma once
/// The options of the Zarr writer.

#include <cstdint>
#include <string>

#include "chunk_codec.hpp"
#include "common/shard_options.hpp"
#include "shard_index.hpp"
#include "spim/geometry.hpp"
#include "spim/options.hpp"

namespace spim::zarr {

inline constexpr OptionSpec kWriterOptions[] = {
    integer_option("zarr-format", "2", 2, 3,
                   "version of Zarr: 2 writes OME-Zarr 0.4, which more programs read, 3 writes OME-Zarr 0.5"),
    chunked::kShardOption,
    choice_option(
        "shard-index", "end", "end|start",
        "where the index of a shard lies; start saves a request over HTTP, some programs read end only"),
    chunked::kShardMemoryOption,
    choice_option("compressor", "blosc", "blosc|zstd|gzip|none",
                  "frame of a compressed chunk; codec and shuffle concern blosc only"),
    chunked::kCodecOption,
    chunked::kCodecLevelOption,
    chunked::kShuffleOption,
    boolean_option("checksum", "true",
                   "zarr-format 3: store a CRC-32C behind each chunk, by which readers notice damage"),
    text_option("channel-name", "", "label of the channel in viewers; empty takes the name of the volume"),
    text_option("channel-color", "FFFFFF",
                "colour of the channel in viewers, six hexadecimal digits RRGGBB")};

/// The options of one writer. Throws UsageError for those that contradict each other.
struct WriterSettings {
  explicit WriterSettings(const Options& options);

  int zarr_format = 2;
  Index3 shard;  ///< voxels; {0,0,0} for none
  IndexLocation index = IndexLocation::end;
  std::int64_t shard_memory = 0;  ///< bytes
  WriteCodec codec;
  bool checksum = false;  ///< behind each chunk; never in Zarr version 2
  std::string channel_name, channel_color;
};

/// Throws UsageError unless `color` is six hexadecimal digits.
void check_color(const std::string& color);

}  // namespace spim::zarr
