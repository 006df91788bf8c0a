#pragma once
/// Synthetic tissue.

#include <cstdint>

#include "phantom/plane.hpp"
#include "spim/geometry.hpp"
#include "spim/image.hpp"

namespace spim {

/// What decides the tissue.
struct PhantomSettings {
  std::uint64_t seed = 1;
  int channel = 0;        ///< same objects in every channel, each with its own brightness
  double scale = 1;       ///< multiplies the size of everything but the outline; 1: cells of 4 to 20 µm
  double brightness = 1;  ///< multiplies all grey levels
  Vec3 organ_centre_um;
  Vec3 organ_radii_um;  ///< half axes of the organ; outside there is nothing. 0, 0, 0: tissue everywhere
  double repeat_um =
      0;  ///< > 0: everything but the outline repeats with this period (a multiple of 80·scale) on each axis
};

/// Tissue that can be asked for its intensity anywhere: cells of several sizes, some of them in clusters,
/// curved branching processes, a background that varies slowly and has texture, inside an organ with an
/// irregular outline. A pure function of position and settings, in grey levels above the camera offset;
/// nothing is stored, so that any region of any size costs only what it shows. All methods: [any thread].
class Phantom {
 public:
  /// Tissue everywhere.
  Phantom(std::uint64_t seed, int channel);
  /// Throws UsageError when scale, brightness, radii or period are impossible.
  explicit Phantom(const PhantomSettings& settings);

  const PhantomSettings& settings() const noexcept { return settings_; }

  /// Intensity at `at` (µm).
  float intensity(Vec3 at) const;

  /// Intensity at the points of `plane` into `out`, which is plane.rows by plane.columns.
  void render(const Plane& plane, ImageView<float> out) const;

 private:
  PhantomSettings settings_;
};

}  // namespace spim
