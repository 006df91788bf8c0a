#pragma once
/// Candidates for a shift from the phases of two windows.

#include <vector>

#include "common/cells.hpp"

namespace spim {

/// Shifts at which the normalised phase correlation of two windows has its highest maxima, highest first, at
/// most `most`. The windows are those of a Correlator: moving.size = fixed.size + 2·reach, and the shifts lie
/// within the reach.
///
/// Each frequency counts with its phase alone, up to frequencies that hold little of either window, which
/// fade out: cross / (|cross| + 0.1·mean|cross|). Kuglin and Hines 1975; the denominator is a Wiener one.
std::vector<Index3> phase_peaks(const alignment::Cells& fixed, const alignment::Cells& moving,
                                std::size_t most);

}  // namespace spim
