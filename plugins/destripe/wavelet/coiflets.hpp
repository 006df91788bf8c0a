#pragma once
/// The low-pass filters of coiflets.

#include <vector>

namespace spim::wavelet {

/// Largest order.
inline constexpr int kCoiflets = 6;

/// Decomposition low-pass filter of 6·order taps, 1 ≤ order ≤ kCoiflets: 2·order vanishing moments of the
/// wavelet and 2·order − 1 of the scaling function.
std::vector<double> coiflet(int order);

}  // namespace spim::wavelet
