#pragma once
/// Alignment by phase correlation of large windows.

#include "common/match.hpp"
#include "spim/aligner.hpp"
#include "spim/options.hpp"

namespace spim {

inline constexpr OptionSpec kPhaseOptions[] = {
    number_option("sigma", "2.5", 0, 1000,
                  "sigma of the Gaussian that smooths the windows of the refinement, in micrometres"),
    integer_option("sample-count", "6", 1, 100000, "windows compared per pair of tiles"),
    text_option("window-size", "129,129,129", "window that is compared, x,y,z in voxels, odd"),
    text_option("search-size", "100,100,100", "largest shift that is found, x,y,z in voxels"),
    integer_option("peaks", "12", 1, 1000,
                   "maxima of the phase correlation that are tested by Pearson correlation"),
    number_option("min-correlation", "0.7", -1, 1,
                  "windows whose Pearson correlation stays below this are discarded"),
};

/// Compares large windows of the overlap (README.md).
class PhaseAligner final : public Aligner {
 public:
  PhaseAligner(Host& host, const Options& options);

  void align(const AlignTask& task, ShiftSink& sink) override;

 private:
  Host& host_;
  double sigma_um_;
  std::int64_t sample_count_;
  Index3 window_, search_;
  std::size_t peaks_;
  double min_correlation_;
};

}  // namespace spim
