#pragma once
/// The Blosc-1 codec: one self-describing frame per chunk. Safe on any number of threads at once.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/scratch.hpp"
#include "spim/options.hpp"

namespace spim::chunked {

/// How chunks are compressed. The defaults were chosen by measurement: docs/performance.md, section Codec.
struct BloscSettings {
  std::string codec = "zstd";  ///< a name that Blosc and numcodecs know
  int level = 3;               ///< 0 … 9
  int shuffle = 1;             ///< as in the frame and in Zarr: 0 none, 1 by bytes, 2 by bits
};

/// The option rows of every writer that compresses with Blosc; blosc_settings() reads them.
inline constexpr OptionSpec kCodecOption =
    choice_option("codec", "zstd", "zstd|lz4|lz4hc|blosclz|zlib", "compression inside the Blosc frame");
inline constexpr OptionSpec kCodecLevelOption =
    integer_option("level", "3", 0, 9, "compression level, 0 stores without compression");
inline constexpr OptionSpec kShuffleOption =
    choice_option("shuffle", "byte", "bit|byte|none", "what is brought together before compression");

/// Throws UsageError when this machine's Blosc was built without the codec.
BloscSettings blosc_settings(const Options& options);

/// One frame of `bytes`, whose items have `item_size` bytes; points into `scratch`. 16-bit samples with zstd
/// and byte shuffle go through zstd_planes_encode(), everything else through Blosc.
std::span<const std::byte> blosc_encode(const BloscSettings& settings, std::size_t item_size,
                                        std::span<const std::byte> bytes, Scratch& scratch);

/// Decodes `frame`, which must hold exactly `size` bytes, into `scratch`, which does not grow before that is
/// known. Throws Error without a subject: the caller knows which chunk it is. Frames may come from anywhere.
const std::byte* blosc_decode(std::span<const std::byte> frame, std::size_t size, Scratch& scratch);

/// "blosc zstd 1, bit shuffle".
std::string blosc_describe(const BloscSettings& settings);

/// "blosc zstd, bit shuffle", read from the first 16 bytes of a frame.
std::string blosc_describe(std::span<const std::byte, 16> header);

}  // namespace spim::chunked
