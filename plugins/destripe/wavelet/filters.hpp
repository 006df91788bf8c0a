#pragma once
/// The low-pass filters of orthogonal wavelets.

#include <string_view>
#include <vector>

namespace spim::wavelet {

/// Decomposition low-pass filter of the wavelet `name` (haar, db1 … db20, sym2 … sym20, coif1 … coif6), sum
/// sqrt 2, in the order of PyWavelets' `dec_lo`: the signal x gives a[j] = Σ f[k] x[2j+1−k]. Computed in
/// multiple precision, exact to the last bits of a double. Throws UsageError for another name.
std::vector<double> decomposition_filter(std::string_view name);

/// The high-pass filter that goes with a low-pass filter: g[k] = (−1)^(k+1) f[F−1−k].
std::vector<double> high_pass_of(const std::vector<double>& low_pass);

}  // namespace spim::wavelet
