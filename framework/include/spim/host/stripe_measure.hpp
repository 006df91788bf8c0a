#pragma once
/// How strong the stripes of an image are, and which bandwidth of a filter removes them best.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "spim/destriper.hpp"
#include "spim/image.hpp"

namespace spim {

enum class StripeDirection { horizontal, vertical };

/// Power of ln(1 + grey level) along the stripes. Stripes are narrow across and long along their direction:
/// after a moving mean over 33 samples across is subtracted twice, they are what the lowest harmonics along
/// them have more than the others, whose power tissue and noise, narrow in both directions, share evenly.
struct StripePower {
  std::vector<double> harmonics;  ///< mean square of harmonic 0, 1, … along the stripes
  double floor = 0;               ///< median of those harmonics in which no stripes are expected
  double stripes = 0;             ///< what the lower harmonics have above the floor, both signs counted
};

/// Throws Error when the image is smaller than 16 samples across or 64 along the stripes.
StripePower measure_stripes(ImageView<const float> image, StripeDirection direction);

/// What a filter of one bandwidth does to an image, all as mean squares of ln(1 + grey level).
struct BandwidthTrial {
  double sigma = 0;  ///< 0: not filtered
  double left = 0;   ///< stripes that are still there
  double lost = 0;   ///< what was removed beyond the stripes
  double cost() const noexcept { return left + lost; }
};

struct BandwidthChoice {
  double sigma = 0;  ///< of the trial that costs least; 0 when that is more than half of the stripes
  StripePower before;
  std::vector<BandwidthTrial> trials;  ///< rising sigma, the first is 0
};

/// Creates a destriper of a bandwidth.
using DestriperOfSigma = std::function<std::unique_ptr<Destriper>(double sigma)>;

/// Tries the bandwidths 2, 4, 8, … on `image` as far as they are not longer than half of it. Nothing outside
/// the image is known, so the choice is as good as the separation of stripes from tissue in its spectrum.
BandwidthChoice choose_bandwidth(ImageView<const float> image, StripeDirection direction,
                                 const DestriperOfSigma& destriper);

}  // namespace spim
