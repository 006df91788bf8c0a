#include "phantom/phantom.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "lattice_noise.hpp"
#include "phantom/hash.hpp"
#include "spim/clones.hpp"
#include "spim/error.hpp"
#include "tissue.hpp"

namespace spim {

namespace {

constexpr double kVariationPitch = 240;  ///< lattice of the slow variation of the background, µm at scale 1
constexpr double kTexturePitch = 5;      ///< of its texture
constexpr double kOutlinePitch = 0.55;   ///< lattice of the organ's outline, in half axes
constexpr float kOutlineDepth = 0.5F;    ///< how much the outline varies
constexpr float kOutlineEdge = 0.06F;    ///< width of the organ's edge, in units of 1 − r²

PhantomSettings plain(std::uint64_t seed, int channel) {
  PhantomSettings settings;
  settings.seed = seed;
  settings.channel = channel;
  return settings;
}

/// The background along one row: slow variation and texture.
SPIM_CLONES void add_background(const PlaneNoise::Row& slow, const PlaneNoise::Row& fine, std::int64_t count,
                                const float* processes, float* out) {
  const float ws = slow.weight, wf = fine.weight;
  for (std::int64_t j = 0; j < count; ++j) {
    const float s = slow.first[j] + ws * (slow.second[j] - slow.first[j]);
    const float f = fine.first[j] + wf * (fine.second[j] - fine.first[j]);
    out[j] += processes[j] + (60 + 260 * s) * (0.75F + 0.5F * f);
  }
}

/// Where the organ is, along one row: r² of each column without y, and y's own part.
struct OutlineRow {
  const float* xz_2;
  float y_2;
  PlaneNoise::Row noise;
};

SPIM_CLONES void cut_outline(const OutlineRow& outline, std::int64_t count, float* out) {
  const float* xz_2 = outline.xz_2;
  const float y_2 = outline.y_2, weight = outline.noise.weight;
  const float *first = outline.noise.first, *second = outline.noise.second;
  for (std::int64_t j = 0; j < count; ++j) {
    const float n = first[j] + weight * (second[j] - first[j]);
    const float inside = 1 - xz_2[j] - y_2 + kOutlineDepth * (n - 0.5F);
    const float t = std::min(1.0F, std::max(0.0F, inside * (1 / kOutlineEdge)));
    out[j] *= t * t * (3 - 2 * t);
  }
}

double square(double v) {
  return v * v;
}

/// Multiplies the image by 1 inside the organ and 0 outside.
void apply_outline(const PhantomSettings& settings, const Plane& plane, const PlaneFrame& frame,
                   ImageView<float> image) {
  const Vec3 centre = settings.organ_centre_um, radii = settings.organ_radii_um;
  if (radii.x <= 0) return;
  const Lattice lattice{subkey(settings.seed, 303), kOutlinePitch * std::min({radii.x, radii.y, radii.z}), 0};
  const PlaneNoise noise(lattice, frame);
  std::vector<float> xz_2;
  for (std::int64_t j = 0; j < plane.columns; ++j)
    xz_2.push_back(static_cast<float>(square((frame.x(j) - centre.x) / radii.x) +
                                      square((frame.z(j) - centre.z) / radii.z)));
  for (std::int64_t i = 0; i < plane.rows; ++i)
    cut_outline({xz_2.data(), static_cast<float>(square((frame.y(i) - centre.y) / radii.y)), noise.row(i)},
                plane.columns, image.row(i));
}

}  // namespace

Phantom::Phantom(std::uint64_t seed, int channel) : Phantom(plain(seed, channel)) {}

Phantom::Phantom(const PhantomSettings& settings) : settings_(settings) {
  const Vec3 r = settings.organ_radii_um;
  const bool bounded = r.x > 0 && r.y > 0 && r.z > 0, unbounded = r == Vec3{};
  if (!bounded && !unbounded)
    throw UsageError("the organ's half axes must all be positive, or all 0 for none");
  if (!(settings.scale >= 0.01 && settings.scale <= 1000))
    throw UsageError("the phantom's scale is " + std::to_string(settings.scale) +
                     "; it must be 0.01 to 1000");
  if (!(settings.brightness >= 0 && settings.brightness <= 1e6))
    throw UsageError("the phantom's brightness is " + std::to_string(settings.brightness) +
                     "; it must be 0 to 1,000,000");
  const double unit = kRepeatUnit * settings.scale;
  const double periods = settings.repeat_um / unit;
  if (!(periods >= 0) || periods > 1e6 || std::abs(periods - std::round(periods)) > 1e-6)
    throw UsageError("the phantom's period is " + std::to_string(settings.repeat_um) +
                     " µm; it must be 0 or a multiple of " + std::to_string(unit) + " µm");
}

void Phantom::render(const Plane& plane, ImageView<float> out) const {
  if (plane.rows < 1 || plane.columns < 1) return;
  const PlaneFrame frame(plane);
  const Tissue tissue{settings_.seed, settings_.channel, settings_.scale,
                      std::llround(settings_.repeat_um / (kRepeatUnit * settings_.scale))};
  std::vector<float> buffer(static_cast<std::size_t>(plane.rows * plane.columns), 0.0F);
  const ImageView<float> processes{buffer.data(), plane.rows, plane.columns, plane.columns};
  for (std::int64_t i = 0; i < plane.rows; ++i) std::fill_n(out.row(i), plane.columns, 0.0F);
  draw_cells(tissue, frame, out);
  draw_processes(tissue, frame, processes);
  const std::uint64_t key = subkey(settings_.seed, 404 + settings_.channel);
  const double slow_pitch = (tissue.repeat > 0 ? kRepeatUnit : kVariationPitch) * settings_.scale;
  const PlaneNoise slow({subkey(key, 1), slow_pitch, tissue.repeat}, frame);
  const auto texture_period = tissue.repeat * static_cast<std::int64_t>(kRepeatUnit / kTexturePitch);
  const PlaneNoise fine({subkey(key, 2), kTexturePitch * settings_.scale, texture_period}, frame);
  for (std::int64_t i = 0; i < plane.rows; ++i)
    add_background(slow.row(i), fine.row(i), plane.columns, processes.row(i), out.row(i));
  apply_outline(settings_, plane, frame, out);
  if (settings_.brightness == 1) return;
  const auto brightness = static_cast<float>(settings_.brightness);
  for (std::int64_t i = 0; i < plane.rows; ++i)
    for (std::int64_t j = 0; j < plane.columns; ++j) out.row(i)[j] *= brightness;
}

float Phantom::intensity(Vec3 at) const {
  float value = 0;
  render({at, 0, 1, 1, 0, 0, 1, 1}, {&value, 1, 1, 1});
  return value;
}

}  // namespace spim
