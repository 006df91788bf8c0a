#pragma once
/// The illumination profile of a microscope, measured on its own frames: how bright the same tissue appears
/// at every pixel.

#include <cstdint>
#include <optional>
#include <span>

#include "spim/host/frame_source.hpp"
#include "spim/host/owned_image.hpp"
#include "spim/host/percentile_image.hpp"

namespace spim {

struct IlluminationSettings {
  PercentileSettings percentile;
  std::int64_t frames = 0;        ///< how many are sampled at random; 0: all
  std::uint64_t seed = 1234;      ///< decides which frames, and which pixels the fit begins with
  std::int64_t min_samples = 20;  ///< pixels that each trial of the fit is made of
  Orientation orientation;        ///< of the profile; the frames are read as stored
  std::optional<double> dark;     ///< grey level without light; nothing: found in the frames
};

/// A x² + B x + C y + D in grey levels above the dark level; x and y are the column and the row of a pixel.
struct Surface {
  double a = 0;
  double b = 0;
  double c = 0;
  double d = 0;
  double at(double x, double y) const noexcept { return (a * x + b) * x + c * y + d; }
};

/// A measured profile and how it came about.
struct Illumination {
  OwnedImage<float> profile;              ///< the surface, oriented, in grey levels above `dark`; positive
  OwnedImage<std::uint16_t> percentiles;  ///< oriented; lowest grey level of each pixel's percentile bin
  Surface surface;
  double dark = 0;             ///< subtracted before the fit
  bool dark_was_seen = false;  ///< false: nothing unlit was sampled, or the level was given
  std::int64_t frames = 0;     ///< sampled
  std::int64_t usable = 0;     ///< pixels that the fit could use
  double agreement = 0;        ///< share of those near the surface
  double clipped = 0;          ///< share of the frame where the surface was raised to the floor
  PercentilePlan plan;
};

/// Samples frames, takes the percentile of every pixel (percentile_image.hpp), and fits the surface to the
/// percentiles of pixels that are neither in the last bin nor below the background: the best of 100 random
/// fits (RANSAC), then weighted least squares (Tukey's biweight) of residuals relative to the surface, since
/// what varies from pixel to pixel is tissue times light. Where the surface is below the background it is
/// raised to it. Same settings, same result, whatever the workers and the memory; frames that are stored
/// rotated and turned back give what oriented ones do. Throws Error that says what to change when too few
/// pixels can be used, when they are too close together to tell the whole surface, or when it is not
/// positive on a tenth of the frame; and what percentile_image() throws.
Illumination measure_illumination(std::span<const CameraStack> stacks, const IlluminationSettings& settings,
                                  const Executor& executor, Progress& progress);

/// The grey level of pixels without light, from how often each level was met (65,536 counts): the mean of the
/// lowest peak, when it is as narrow as noise alone and holds a hundredth of the samples.
std::optional<double> unlit_level(std::span<const std::uint64_t> levels);

}  // namespace spim
