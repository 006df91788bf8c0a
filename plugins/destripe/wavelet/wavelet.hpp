#pragma once
/// The wavelet destriper: takes the low spatial frequencies along the stripes out of the subbands that hold
/// stripes.

#include <memory>
#include <optional>

#include "spim/destriper.hpp"
#include "spim/options.hpp"

namespace spim {

/// The method of B. Münch and others (Optics Express 17, 2009) in the variant of pystripe: on the logarithm
/// of the image, with separate bandwidths for foreground and background. Formulas and what is different:
/// README.md of this folder. Exclusive: an instance keeps the memory it needs for a frame of the last shape.
class WaveletDestriper final : public Destriper {
 public:
  /// Throws UsageError for a wavelet that is not known.
  WaveletDestriper(Host& host, const Options& options);
  ~WaveletDestriper() override;

  /// Throws Error if a sample is not a finite number.
  void apply(ImageView<float> frame) override;

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace spim
