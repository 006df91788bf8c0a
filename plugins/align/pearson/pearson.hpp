#pragma once
/// Alignment by Pearson's correlation of small windows around bright spots.

#include <vector>

#include "common/match.hpp"
#include "common/overlap.hpp"
#include "spim/aligner.hpp"
#include "spim/options.hpp"

namespace spim {

inline constexpr OptionSpec kPearsonOptions[] = {
    number_option("sigma", "2.5", 0, 1000, "sigma of the Gaussian that smooths the windows, in micrometres"),
    integer_option("sample-count", "20", 1, 100000, "windows compared per pair of tiles"),
    text_option("window-size", "21,21,21", "window that is compared, x,y,z in voxels, odd"),
    text_option(
        "blob-detection-window-size", "64,64,64",
        "window at a random place of the overlap in which a bright spot is looked for, x,y,z in voxels"),
    text_option(
        "border-size", "10,10,10",
        "how far a window is searched around its expected place before more is read, x,y,z in voxels"),
    number_option("min-correlation", "0.95", -1, 1,
                  "windows whose Pearson correlation stays below this are discarded"),
};

/// Compares windows around bright spots of the overlap (README.md).
class PearsonAligner final : public Aligner {
 public:
  PearsonAligner(Host& host, const Options& options);

  void align(const AlignTask& task, ShiftSink& sink) override;

 private:
  Host& host_;
  double sigma_um_;
  std::int64_t sample_count_;
  Index3 window_, blob_window_, border_;
  double min_correlation_;
};

}  // namespace spim
