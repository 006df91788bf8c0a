#include "spim/host/illumination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "phantom/hash.hpp"
#include "surface_fit.hpp"

namespace spim {

namespace {

/// Points that the fit works on: more would not change the fourth digit.
constexpr std::int64_t kMostPoints = std::int64_t{1} << 19;
/// Smallest share of the frame's pixels that a profile is fitted to.
constexpr double kLeastUsable = 0.01;
/// See SurfaceFit::leverage; points in half of the frame's columns have 900.
constexpr double kMostLeverage = 1000;
/// Largest share of the frame where the surface may be negative.
constexpr double kMostNegative = 0.1;
/// Black of the cameras whose files are read here, in grey levels, taken when nothing unlit was sampled.
constexpr double kUsualDark = 100;
/// Share of samples that may be darker than the dark level.
constexpr double kDarker = 0.001;
/// Brightest over darkest pixel of a profile, at most.
constexpr double kMostContrast = 100;

OwnedImage<std::uint16_t> quarter_turn(const OwnedImage<std::uint16_t>& image) {
  OwnedImage<std::uint16_t> turned(image.columns, image.rows);
  for (std::int64_t i = 0; i < turned.rows; ++i)
    for (std::int64_t j = 0; j < turned.columns; ++j)
      turned.view().row(i)[j] = image.view().row(j)[image.columns - 1 - i];
  return turned;
}

OwnedImage<std::uint16_t> oriented(OwnedImage<std::uint16_t> image, const Orientation& orientation) {
  for (int turn = 0; turn < orientation.rotate_90; ++turn) image = quarter_turn(image);
  if (orientation.flip_ud)
    for (std::int64_t i = 0; i < image.rows / 2; ++i)
      std::swap_ranges(image.view().row(i), image.view().row(i) + image.columns,
                       image.view().row(image.rows - 1 - i));
  return image;
}

/// A level that no more than a thousandth of the samples are below.
double darkest(std::span<const std::uint64_t> levels) {
  double total = 0, below = 0;
  for (const std::uint64_t n : levels) total += static_cast<double>(n);
  for (std::size_t v = 0; v < levels.size(); ++v) {
    below += static_cast<double>(levels[v]);
    if (below > kDarker * total) return static_cast<double>(v);
  }
  return 0;
}

/// Finds the pixels that tell something and fits the surface to them.
class Measurement {
 public:
  Measurement(const IlluminationSettings& settings, Illumination& result) : s_(settings), r_(result) {}

  void set_dark(std::span<const std::uint64_t> levels) {
    if (s_.dark) {
      r_.dark = *s_.dark;
      return;
    }
    // A narrow peak above both levels is an evenly lit slide.
    const double highest = std::max(static_cast<double>(s_.percentile.background), 1.1 * kUsualDark);
    std::optional<double> seen = unlit_level(levels);
    if (seen && *seen > highest) seen.reset();
    r_.dark_was_seen = seen.has_value();
    r_.dark = seen.value_or(std::min(kUsualDark, darkest(levels)));
  }

  void fit(const OwnedImage<std::uint16_t>& bins, const Executor& executor) {
    sort_pixels(bins);
    refuse_few();
    const detail::SurfaceFit fit = detail::fit_surface(
        points_of(bins),
        {bins.rows, bins.columns, s_.min_samples, s_.seed, static_cast<double>(s_.percentile.values_per_bin)},
        executor);
    if (!(fit.leverage <= kMostLeverage))
      throw Error(fmt::format(
          "the {} pixels that can be used are too close together to tell the profile of the whole "
          "frame; lower --background from {}, raise --n-frames, or name more files",
          r_.usable, s_.percentile.background));
    r_.surface = fit.surface;
    r_.agreement = fit.agreement;
  }

  void draw(std::int64_t rows, std::int64_t columns) {
    r_.profile = OwnedImage<float>(rows, columns);
    double brightest = 0;
    std::int64_t negative = 0;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) {
        const double light = surface_at(i, j);
        if (!(light > 0)) ++negative;
        brightest = std::max(brightest, light);
      }
    const double pixels = static_cast<double>(rows) * static_cast<double>(columns);
    const double share = static_cast<double>(negative) / pixels;
    if (!std::isfinite(brightest) || !(share <= kMostNegative))
      throw Error(
          fmt::format("the fitted profile is not positive on {:.0f} % of the frame; raise --n-frames, "
                      "lower --background from {}, or name more files",
                      100 * share, s_.percentile.background));
    const double background = static_cast<double>(s_.percentile.background) - r_.dark;
    const double floor = std::max(background, brightest / kMostContrast);
    std::int64_t raised = 0;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) {
        const double light = surface_at(i, j);
        if (light < floor) ++raised;
        r_.profile.view().row(i)[j] = static_cast<float>(std::max(light, floor));
      }
    r_.clipped = static_cast<double>(raised) / pixels;
  }

  /// Turns bins into the grey levels that they begin with.
  void name_levels(OwnedImage<std::uint16_t> bins) {
    for (std::uint16_t& bin : bins.samples)
      bin = static_cast<std::uint16_t>(std::min<std::int64_t>(bin * s_.percentile.values_per_bin, 65535));
    r_.percentiles = std::move(bins);
  }

 private:
  double surface_at(std::int64_t row, std::int64_t column) const {
    return r_.surface.at(static_cast<double>(column), static_cast<double>(row));
  }

  /// The middle of a bin above the dark level.
  double light_of(std::uint16_t bin) const {
    const auto width = static_cast<double>(s_.percentile.values_per_bin);
    return static_cast<double>(bin) * width + (width - 1) / 2 - r_.dark;
  }
  bool saturated(std::uint16_t bin) const { return bin >= s_.percentile.bins - 1; }
  bool usable(std::uint16_t bin) const {
    // Bin 0 is also that of pixels without samples.
    const bool lit = bin >= s_.percentile.background / s_.percentile.values_per_bin &&
                     (bin > 0 || s_.percentile.background == 0);
    return lit && !saturated(bin) && light_of(bin) > 0;
  }

  void sort_pixels(const OwnedImage<std::uint16_t>& bins) {
    total_ = static_cast<std::int64_t>(bins.samples.size());
    r_.usable =
        std::count_if(bins.samples.begin(), bins.samples.end(), [&](auto bin) { return usable(bin); });
    saturated_ =
        std::count_if(bins.samples.begin(), bins.samples.end(), [&](auto bin) { return saturated(bin); });
  }

  void refuse_few() const {
    const std::int64_t needed = std::max(
        s_.min_samples, static_cast<std::int64_t>(std::ceil(kLeastUsable * static_cast<double>(total_))));
    if (r_.usable >= needed) return;
    const std::string found =
        fmt::format("only {} of {} pixels can be used, {} are needed", r_.usable, total_, needed);
    if (r_.usable + saturated_ >= needed && s_.percentile.bins * s_.percentile.values_per_bin <= 65535)
      throw Error(
          fmt::format("{}: {} are at or beyond the last bin, which begins at {}; raise --n-bins or "
                      "--values-per-bin",
                      found, saturated_, (s_.percentile.bins - 1) * s_.percentile.values_per_bin));
    if (r_.usable + saturated_ >= needed)
      throw Error(fmt::format("{}: {} are saturated; lower --percentile from {} or measure other frames",
                              found, saturated_, s_.percentile.percentile));
    if (total_ < s_.min_samples)
      throw Error(fmt::format("{}; lower --min-samples or measure larger frames", found));
    throw Error(
        fmt::format("{}: the others hold no sampled value above the background of {} and the dark level "
                    "of {:.1f}; lower --background, raise --n-frames, or name other files",
                    found, s_.percentile.background, r_.dark));
  }

  std::vector<detail::SurfacePoint> points_of(const OwnedImage<std::uint16_t>& bins) const {
    std::vector<detail::SurfacePoint> points;
    std::int64_t left = r_.usable;
    std::int64_t needed = std::min(r_.usable, kMostPoints);
    points.reserve(static_cast<std::size_t>(needed));
    Draw draw(subkey(s_.seed, 3));
    const auto place = [](std::int64_t i, std::int64_t n) {
      return n > 1 ? static_cast<float>(2.0 * static_cast<double>(i) / static_cast<double>(n - 1) - 1) : 0.0F;
    };
    for (std::int64_t i = 0; i < bins.rows; ++i)
      for (std::int64_t j = 0; j < bins.columns; ++j) {
        const std::uint16_t bin = bins.view().row(i)[j];
        if (!usable(bin)) continue;
        const bool drawn = draw.uniform() * static_cast<double>(left) < static_cast<double>(needed);
        --left;
        if (!drawn) continue;
        --needed;
        points.push_back({place(j, bins.columns), place(i, bins.rows), static_cast<float>(light_of(bin))});
      }
    return points;
  }

  const IlluminationSettings& s_;
  Illumination& r_;
  std::int64_t total_ = 0;
  std::int64_t saturated_ = 0;
};

void check(const IlluminationSettings& s) {
  if (s.min_samples < 4 || s.min_samples > 100'000)
    throw UsageError(
        fmt::format("a fit of {} pixels a trial is not possible; choose 4 to 100,000", s.min_samples));
  if (s.dark && !(*s.dark >= 0 && *s.dark <= 65535))
    throw UsageError(fmt::format("a dark level of {} is not a grey level; choose 0 to 65535", *s.dark));
  if (s.orientation.rotate_90 < 0 || s.orientation.rotate_90 > 3)
    throw UsageError(fmt::format("a rotation of {} quarter turns does not exist; use 0, 1, 2 or 3",
                                 s.orientation.rotate_90));
}

}  // namespace

Illumination measure_illumination(std::span<const CameraStack> stacks, const IlluminationSettings& settings,
                                  const Executor& executor, Progress& progress) {
  check(settings);
  const std::vector<SampledFrame> sample = sample_frames(stacks, settings.frames, settings.seed);
  Illumination result;
  result.frames = static_cast<std::int64_t>(sample.size());
  result.plan = plan_percentile(stacks, result.frames, settings.percentile, executor);
  PercentileImage image = percentile_image(stacks, sample, settings.percentile, executor, progress);
  Measurement measurement(settings, result);
  measurement.set_dark(image.levels);
  OwnedImage<std::uint16_t> bins = oriented(std::move(image.bins), settings.orientation);
  measurement.fit(bins, executor);
  measurement.draw(bins.rows, bins.columns);
  measurement.name_levels(std::move(bins));
  return result;
}

}  // namespace spim
