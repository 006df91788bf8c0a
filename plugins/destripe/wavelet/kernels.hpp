#pragma once
/// The inner loops of the wavelet destriper, chosen once for the processor at hand.

#include <cstdint>

namespace spim::wavelet {

/// Samples that a kernel works on together.
inline constexpr std::int64_t kBlock = 32;

/// A filter of an even number of taps, as decomposition uses it: a[j] = Σ f[k] x[2j+1−k].
struct Taps {
  const float* low = nullptr;
  const float* high = nullptr;
  std::int64_t count = 0;
};

/// Even and odd samples of a signal: even[p] = x[2p], odd[p] = x[2p+1], also for p ≥ −(count/2 − 1).
struct Phases {
  float* even = nullptr;
  float* odd = nullptr;
};

/// count/2 consecutive rows of an approximation (null where it is zero) and of a detail.
struct SubbandRows {
  const float* const* approximation = nullptr;
  const float* const* detail = nullptr;
};

/// What one row of the result is made from.
struct BlendRow {
  const float* image = nullptr;       ///< grey levels; at least as long as the row
  const float* mask = nullptr;        ///< share of the foreground; null: one band, without threshold
  const float* foreground = nullptr;  ///< what to subtract from ln(1 + image); null: nothing
  const float* background = nullptr;  ///< the same for the background
  float threshold = 0;
};

/// Functions that work on n samples may read and write up to the end of the last block of kBlock samples, but
/// those on a frame's own rows (`frame`) stay inside it. No pointer needs to be aligned.
struct Kernels {
  /// levels = nearest whole grey level, within 0 … 65535 (0 for what is not a number).
  void (*grey_levels)(const float* frame, std::int32_t* levels, std::int64_t n);
  /// out = ln((1 + max(in, 0)) · scale). Returns false if one of the n samples is not finite.
  bool (*logarithms)(const float* frame, float* out, std::int64_t n, float scale);
  /// Separates even and odd samples: even[p] = in[2p], odd[p] = in[2p+1] for p < n.
  void (*split)(const float* in, Phases out, std::int64_t n);
  /// The same with max(in, 0) and with min(in, 0).
  void (*split_positive)(const float* in, Phases out, std::int64_t n);
  void (*split_negative)(const float* in, Phases out, std::int64_t n);
  /// Low-pass half of the decomposition of one row: n samples of out.
  void (*analyze_row)(Phases in, Taps taps, float* out, std::int64_t n);
  /// low = Σ low[k] rows[k], high = Σ high[k] rows[k].
  void (*analyze_rows)(const float* const* rows, Taps taps, Phases low_and_high, std::int64_t n);
  /// Two rows of the reconstruction: even = Σ_t low[2t+1] a_t + high[2t+1] d_t, odd the same with taps 2t.
  void (*synthesize_rows)(SubbandRows rows, Taps taps, Phases out, std::int64_t n);
  /// Reconstruction of one row from its low-pass half: out[2p] = Σ_t low[2t+1] in[p+t], out[2p+1] = Σ_t
  /// low[2t] in[p+t] for p < n.
  void (*synthesize_row)(const float* in, Taps taps, float* out, std::int64_t n);
  /// out[i] = kernel[0] in[i] + Σ_j kernel[j] (in[i−j] + in[i+j]), 1 ≤ j ≤ radius.
  void (*convolve)(const float* in, const float* kernel, std::int64_t radius, float* out, std::int64_t n);
  /// The same across rows: the row in the middle is rows[radius].
  void (*convolve_rows)(const float* const* rows, const float* kernel, std::int64_t radius, float* out,
                        std::int64_t n);
  /// sums[m] = Σ_i table[m · stride + i] in[i] for m < count.
  void (*project)(const float* in, const float* table, std::int64_t stride, float* sums, std::int64_t count);
  /// out[i] += Σ_m weights[m] table[m · stride + i].
  void (*expand)(const float* weights, const float* table, std::int64_t stride, float* out,
                 std::int64_t count);
  /// out = 1 / (1 + exp((threshold − in) · steepness)).
  void (*sigmoid)(const float* frame, float* out, std::int64_t n, float threshold, float steepness);
  /// One row of the result; may be in place.
  void (*blend)(const BlendRow& row, float* frame, std::int64_t n);
};

/// The fastest that this processor can run. [any thread]
const Kernels& kernels();

/// For any x86-64-v2 processor, and for those with AVX2 and FMA.
const Kernels& kernels_v2();
const Kernels& kernels_v3();

}  // namespace spim::wavelet
