#pragma once
/// The options of the DCIMG reader.

#include "spim/options.hpp"

namespace spim {

inline constexpr OptionSpec kDcimgOptions[] = {
    choice_option("padding", "end", "end|start",
                  "which side of a stored row holds the bytes that are not pixels, where there are any"),
    boolean_option("restore-pixels", "true",
                   "put the true values back into the 8 bytes per frame that the camera overwrites"),
    integer_option("session", "0", 0, 4294967295.0, "which session of a file with several, from 0"),
};

}  // namespace spim
