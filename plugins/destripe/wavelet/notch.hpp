#pragma once
/// What the destriper takes out of one row of a subband.

#include <cstdint>
#include <vector>

#include "buffer.hpp"

namespace spim::wavelet {

/// Length of the rows, and the width of the notch in packed indices of their spectrum.
struct NotchSpec {
  std::int64_t length = 0;
  double sigma = 0;
};

/// The linear map h → irfft(w · rfft(h)), w[k] = exp(−k² / 2σ²), k the index in the packed real spectrum DC,
/// re 1, im 1, re 2, im 2, …; what remains of h after it is subtracted is the notch filter of pystripe.
/// Cosines and sines of one frequency have different k, so the even part of a row and its odd part (about
/// sample 0, the row taken as a circle) are filtered differently.
///
/// The filter is a Gaussian of a few samples' width or of a few harmonics: each part is done by a short
/// convolution, and the harmonics that this does not get right to kTolerance are set right one by one. The
/// split that costs least is found when the notch is made. No length is awkward, as it would be for an FFT.
class Notch {
 public:
  /// Largest error of any harmonic's weight, of weights between 0 and 1.
  static constexpr double kTolerance = 1e-5;

  explicit Notch(NotchSpec spec);

  /// Samples of scratch that apply() needs.
  std::int64_t scratch_size() const noexcept;

  /// Replaces `row` (length samples, padded to whole blocks) by the part of it that is to be removed.
  void apply(float* row, float* scratch) const;

 private:
  /// The filter of the even or of the odd part, on the samples 0 … length/2.
  struct Half {
    std::vector<float> kernel;   ///< of the convolution: weights of the distances 0 … radius
    std::vector<float> weights;  ///< of the harmonics that are corrected
    Plane waves;                 ///< cosines or sines, one row each
  };
  enum class Symmetry { even, odd };

  /// Of the even or the odd part, by harmonics 0 … length/2.
  struct Spectrum {
    std::vector<double> cosines;  ///< cos(2π i / length)
    std::vector<double> weights;  ///< wanted
    std::vector<double> times;    ///< how often the harmonic is in the complex spectrum: once or twice
    std::vector<bool> exists;
  };
  /// A convolution, and what it leaves to be corrected.
  struct Split {
    struct Correction {
      std::size_t harmonic;
      double missing;  ///< weight
    };
    std::vector<double> kernel;
    std::vector<Correction> corrections;
  };

  static Spectrum spectrum(NotchSpec spec, Symmetry symmetry);
  /// The first samples of the kernel whose response is the spectrum.
  static std::vector<double> impulse(const Spectrum& spectrum, std::size_t samples);
  static Split cheapest_split(const Spectrum& spectrum);
  static Half design(NotchSpec spec, Symmetry symmetry);
  void filter(const Half& half, Symmetry symmetry, float* part, float* scratch) const;

  std::int64_t length_;
  std::int64_t half_length_;  ///< samples 0 … length/2
  Half even_, odd_;
  std::int64_t margin_ = 0;  ///< the larger radius, in whole blocks
};

}  // namespace spim::wavelet
