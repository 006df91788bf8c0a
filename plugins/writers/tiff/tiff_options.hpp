#pragma once
/// Options of the writer.

#include "spim/options.hpp"

namespace spim::tiff {

inline constexpr OptionSpec kWriterOptions[] = {
    choice_option("compression", "deflate", "deflate|zstd|none",
                  "how strips and tiles are compressed; every reader knows deflate, few know zstd"),
    integer_option(
        "level", "3", 1, 22,
        "effort of the compression: deflate 1 to 12 (1 to 3 are the same), zstd 1 to 22; more is slower "
        "and smaller"),
    boolean_option("predictor", "false",
                   "store differences between neighbours in a row, for images without noise"),
    integer_option("tile", "0", 0, 16384,
                   "side of the tiles in pixels, a multiple of 16; 0 means strips, or 512 where tiles are "
                   "needed"),
    boolean_option("ome", "false",
                   "describe the volume as OME-TIFF, and store the levels as a pyramid in x and y"),
};

}  // namespace spim::tiff
