#pragma once
/// The options of the wavelet destriper.

#include "spim/options.hpp"

namespace spim {

inline constexpr OptionSpec kWaveletOptions[] = {
    number_option("sigma1", "0", 0, 1e9,
                  "bandwidth of the filter in the foreground, in pixels, larger removes more; 0 leaves it "
                  "alone, and 0 for both bandwidths stands for 128 and 512"),
    number_option("sigma2", "0", 0, 1e9,
                  "bandwidth of the filter in the background, in pixels, larger removes more; 0 leaves it "
                  "alone"),
    integer_option("level", "0", 0, 30, "number of decomposition levels, 0 for as many as fit"),
    text_option("wavelet", "db3", "name of the wavelet: haar, db1 to db20, sym2 to sym20 or coif1 to coif6"),
    number_option("crossover", "10", 0, 1e9,
                  "range of intensity in which foreground and background mix, in grey levels"),
    number_option("threshold", "-1", -kNoLimit, 1e9,
                  "intensity that parts foreground from background, in grey levels; below 0 it is chosen for "
                  "each frame by the method of Otsu"),
    choice_option("stripe-direction", "horizontal", "horizontal|vertical",
                  "which way the stripes run in the oriented frame"),
};

}  // namespace spim
