#include "wavelet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "band.hpp"
#include "blend.hpp"
#include "filters.hpp"
#include "otsu.hpp"
#include "spim/error.hpp"
#include "spim/host.hpp"

namespace spim {

using namespace wavelet;

namespace {

/// The bandwidths of the laboratories' pipeline, where none is given.
constexpr double kForegroundSigma = 128, kBackgroundSigma = 512;

struct Settings {
  double foreground_sigma, background_sigma;
  int levels;
  double crossover, threshold;
  enum class Stripes { horizontal, vertical } stripes;

  /// One filter for all pixels, where the threshold does not matter.
  bool one_band() const noexcept { return foreground_sigma == background_sigma; }
};

Settings settings_of(Host& host, const Options& options) {
  Settings s{options.number("sigma1"),
             options.number("sigma2"),
             static_cast<int>(options.integer("level")),
             options.number("crossover"),
             options.number("threshold"),
             options.text("stripe-direction") == "vertical" ? Settings::Stripes::vertical
                                                            : Settings::Stripes::horizontal};
  if (s.foreground_sigma == 0 && s.background_sigma == 0) {
    s.foreground_sigma = kForegroundSigma;
    s.background_sigma = kBackgroundSigma;
    host.log(LogLevel::debug, "wavelet destriper: no bandwidth is given, using sigma1 128 and sigma2 512");
  }
  return s;
}

void transpose(ImageView<const float> from, ImageView<float> to) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t y0 = 0; y0 < from.rows; y0 += kTile)
    for (std::int64_t x0 = 0; x0 < from.columns; x0 += kTile)
      for (std::int64_t x = x0; x < std::min(x0 + kTile, from.columns); ++x)
        for (std::int64_t y = y0; y < std::min(y0 + kTile, from.rows); ++y) to.row(x)[y] = from.row(y)[x];
}

ImageView<const float> constant(ImageView<float> v) {
  return {v.data, v.rows, v.columns, v.row_stride};
}

constexpr std::int64_t even(std::int64_t n) {
  return n + n % 2;
}

/// Everything that depends on the shape of a frame.
struct Plan {
  Plan(const Wavelet& wavelet, const Settings& settings, std::int64_t frame_rows, std::int64_t frame_columns)
      : rows(frame_rows),
        columns(frame_columns),
        line(even(columns), wavelet.length()),
        mask(even(rows), even(columns)) {
    BandSpec spec{even(rows), even(columns), settings.levels, settings.foreground_sigma};
    if (spec.levels == 0) spec.levels = most_levels(std::min(spec.rows, spec.columns), wavelet.length());
    const auto make = [&](std::optional<Band>& band, Plane& removed, double sigma) {
      spec.sigma = sigma;
      band.emplace(wavelet, spec);
      removed = Plane(2, spec.columns);
    };
    if (settings.foreground_sigma > 0) make(foreground, removed_foreground, settings.foreground_sigma);
    if (settings.background_sigma > 0 && !settings.one_band())
      make(background, removed_background, settings.background_sigma);
  }

  std::int64_t rows, columns;
  Line line;
  MaskRows mask;
  std::optional<Band> foreground, background;  ///< the foreground's is for all pixels if there is one band
  Plane removed_foreground, removed_background;
};

}  // namespace

class WaveletDestriper::Engine {
 public:
  Engine(Host& host, const Options& options)
      : settings_(settings_of(host, options)), wavelet_(decomposition_filter(options.text("wavelet"))) {}

  void apply(ImageView<float> frame) {
    if (frame.rows == 0 || frame.columns == 0) return;
    if (settings_.stripes == Settings::Stripes::horizontal) {
      destripe(frame);
      return;
    }
    if (turned_.rows() != frame.columns || turned_.columns() != frame.rows)
      turned_ = Plane(frame.columns, frame.rows);
    const ImageView<float> turned{turned_.row(0), frame.columns, frame.rows, padded(frame.rows)};
    transpose(constant(frame), turned);
    destripe(turned);
    transpose(constant(turned), frame);
  }

 private:
  void destripe(ImageView<float> frame) {
    if (!plan_ || plan_->rows != frame.rows || plan_->columns != frame.columns) {
      plan_.reset();
      plan_ = std::make_unique<Plan>(wavelet_, settings_, frame.rows, frame.columns);
    }
    double threshold = settings_.threshold;
    if (settings_.one_band())
      threshold = std::max(0.0F, std::min(frame.row(0)[0], 65535.0F));  // only keeps the logarithms small
    else if (threshold < 0)
      threshold = otsu_threshold(constant(frame), histogram_);
    analyze(constant(frame), threshold);
    reconstruct(frame, threshold);
  }

  /// Logarithms relative to the threshold, where foreground and background part at 0. A constant that is
  /// added to an image does not reach the subbands that are filtered.
  void analyze(ImageView<const float> frame, double threshold) {
    Plan& plan = *plan_;
    for (std::optional<Band>* band : {&plan.foreground, &plan.background})
      if (*band) (*band)->start();
    const Kernels& k = kernels();
    const auto scale = static_cast<float>(1 / (1 + threshold));
    for (std::int64_t y = 0; y < even(frame.rows); ++y) {
      float* x = plan.line.samples();
      if (!k.logarithms(frame.row(std::min(y, frame.rows - 1)), x, frame.columns, scale))
        throw Error(
            fmt::format("row {} of a frame of {} x {} holds samples that are not finite numbers; check the "
                        "corrections before the destriping",
                        y, frame.rows, frame.columns));
      if (frame.columns % 2 != 0) x[frame.columns] = x[frame.columns - 1];
      plan.line.mirror();
      if (plan.foreground)
        plan.foreground->push(plan.line.phases(settings_.one_band() ? k.split : k.split_positive));
      if (plan.background) plan.background->push(plan.line.phases(k.split_negative));
    }
    for (std::optional<Band>* band : {&plan.foreground, &plan.background})
      if (*band) (*band)->finish();
  }

  void reconstruct(ImageView<float> frame, double threshold) {
    Plan& plan = *plan_;
    plan.mask.start({static_cast<float>(threshold), static_cast<float>(settings_.crossover)});
    for (std::int64_t y = 0; y < frame.rows; ++y) {
      if (y % 2 == 0) {
        const auto get = [&](std::optional<Band>& band, Plane& removed) {
          if (band) band->rows(y / 2, {removed.row(0), removed.row(1)});
        };
        get(plan.foreground, plan.removed_foreground);
        get(plan.background, plan.removed_background);
      }
      BlendRow row;
      row.image = frame.row(y);
      row.threshold = static_cast<float>(threshold);
      if (!settings_.one_band()) row.mask = plan.mask.row(constant(frame), y);
      if (plan.foreground) row.foreground = plan.removed_foreground.row(y % 2);
      if (plan.background) row.background = plan.removed_background.row(y % 2);
      kernels().blend(row, frame.row(y), frame.columns);
    }
  }

  Settings settings_;
  Wavelet wavelet_;
  Histogram histogram_;
  std::unique_ptr<Plan> plan_;
  Plane turned_;
};

WaveletDestriper::WaveletDestriper(Host& host, const Options& options)
    : engine_(std::make_unique<Engine>(host, options)) {}

WaveletDestriper::~WaveletDestriper() = default;

void WaveletDestriper::apply(ImageView<float> frame) {
  engine_->apply(frame);
}

}  // namespace spim
