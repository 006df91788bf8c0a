#pragma once
/// Destriping by local percentiles along the light sheet.

#include <vector>

#include "percentile_grid.hpp"
#include "spim/destriper.hpp"
#include "spim/options.hpp"
#include "subtraction.hpp"

namespace spim::lightsheet {

/// Takes for the light that a stripe adds the darker quarter of what lies along it: result =
/// I - min(I, min(l, f·b)), l the percentile of `artifact-length` samples along the stripe, b that of a
/// square of `background-window-size`, f `lightsheet-vs-background`. The result is without background, never
/// negative and never brighter than a sample that was not negative. Formulas: README.md.
class LightsheetDestriper final : public Destriper {
 public:
  static constexpr OptionSpec kOptions[] = {
      integer_option("artifact-length", "150", 1, 65536,
                     "samples along a stripe among which its light is sought, pixels"),
      integer_option("background-window-size", "200", 1, 65536,
                     "side of the squares in which the background is sought, pixels"),
      number_option("percentile", "0.25", 0, 1,
                    "share of the samples that are darker than the light sought, 0 to 1"),
      number_option("lightsheet-vs-background", "2.0", 0, 1e6,
                    "how many times the background is the most that is taken for the light of a stripe"),
      choice_option("stripe-direction", "horizontal", "horizontal|vertical",
                    "whether stripes run along the rows or the columns of an oriented frame"),
  };

  LightsheetDestriper(Host& host, const Options& options);

  void apply(ImageView<float> frame) override;

 private:
  void apply_along_rows(ImageView<float> frame);

  bool vertical_;
  PercentileGrid grid_;
  Subtraction subtract_;
  std::vector<float> turned_;  ///< the frame with rows and columns exchanged, for vertical stripes
};

}  // namespace spim::lightsheet
