#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "frame_noise.hpp"
#include "lattice_noise.hpp"
#include "phantom/hash.hpp"
#include "phantom/simulated_stack.hpp"
#include "spim/error.hpp"

namespace spim {

namespace {

/// The brightest column, and how the loss is shared between the quadratic in the column and the slope in the
/// row.
constexpr double kBrightestColumn = 0.45;
constexpr double kColumnLoss = 3, kRowLoss = 0.3;
constexpr double kLargestLoss = kColumnLoss * (1 - kBrightestColumn) * (1 - kBrightestColumn) + kRowLoss;

/// A family of stripes: how wide they are, and how much of the strength they get.
struct StripeFamily {
  int number;
  double rows;  ///< distance of the lattice points across the stripes
  float share;
};
constexpr std::array<StripeFamily, 2> kStripes = {{{0, 4, 1.0F}, {1, 11, 0.6F}}};
constexpr double kStripeFrames = 24;   ///< stripes change over this many frames
constexpr double kStripeDepths = 2.5;  ///< and this many times over the depth

Lattice stripe_lattice(std::uint64_t key, const StripeFamily& family) {
  return {subkey(key, family.number), 1, 0};
}

/// Darkness of a stripe from noise in [0, 1]: mostly none, then quickly more.
constexpr float darkness(float noise) noexcept {
  const float t = std::clamp((noise - 0.45F) / 0.45F, 0.0F, 1.0F);
  return t * t;
}

void check(const SimulatedStack& s) {
  const auto refuse = [](const std::string& what) { throw UsageError("simulated stack: " + what); };
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 31;
  if (s.frames < 1 || s.frames > kMostPixels) refuse("the number of frames must be 1 to 2^31");
  if (s.rows < 1 || s.columns < 1 || s.rows > kMostPixels || s.columns > kMostPixels / s.rows)
    refuse("rows and columns must be positive and a frame must not exceed 2^31 pixels");
  const auto in = [](double v, double low, double high) { return v >= low && v <= high; };
  if (!in(s.y_voxel_um, 1e-3, 1e3)) refuse("the camera voxel must be 0.001 to 1000 µm");
  if (!in(s.x_step_um, 1e-3, 1e3)) refuse("the x step must be 0.001 to 1000 µm");
  if (!in(s.tilt_degrees, 1, 89)) refuse("the tilt must be 1 to 89 degrees");
  if (s.direction != 1 && s.direction != -1) refuse("the scan direction must be 1 or -1");
  for (const double at : {s.position_um.x, s.position_um.y, s.position_um.z})
    if (!in(at, -1e9, 1e9)) refuse("the position must be within 1e9 µm of the origin");
  if (!in(s.noise.offset, 0, 65535)) refuse("the camera offset must be 0 to 65535");
  if (!in(s.noise.electrons_per_level, 0, 1e6)) refuse("the electrons per grey level must be 0 to 1,000,000");
  if (!in(s.noise.read_noise, 0, 65535)) refuse("the read noise must be 0 to 65535 grey levels");
  if (!in(s.illumination, 0, 1)) refuse("the loss of illumination must be 0 to 1");
  if (!in(s.stripes, 0, 1)) refuse("the strength of the stripes must be 0 to 1");
}

/// Fraction of the way from the first to the last of `size` pixels.
double fraction(double at, std::int64_t size) noexcept {
  return size > 1 ? at / static_cast<double>(size - 1) : 0;
}

}  // namespace

StackSimulator::StackSimulator(const SimulatedStack& stack)
    : stack_((check(stack), stack)),
      phantom_(stack.phantom),
      noise_key_(subkey(subkey(subkey(stack.phantom.seed, 505), stack.phantom.channel), stack.tile)),
      stripe_key_(subkey(subkey(stack.phantom.seed, 606), stack.tile)) {}

StackInfo StackSimulator::info() const noexcept {
  const bool turned = stack_.stored == StoredFrames::as_camera;
  return {stack_.frames, stack_.frames, turned ? stack_.columns : stack_.rows,
          turned ? stack_.rows : stack_.columns, PixelType::u16};
}

double StackSimulator::illumination(double row, double column) const noexcept {
  const double u = fraction(column, stack_.columns) - kBrightestColumn;
  const double loss = kColumnLoss * u * u + kRowLoss * fraction(row, stack_.rows);
  return 1 - stack_.illumination * loss / kLargestLoss;
}

double StackSimulator::stripes(double frame, double row, double column) const noexcept {
  if (stack_.stripes == 0) return 1;
  float dark = 0;
  const double depth = column * kStripeDepths / static_cast<double>(stack_.columns);
  for (const StripeFamily& family : kStripes)
    dark += family.share * darkness(noise_at(stripe_lattice(stripe_key_, family),
                                             {frame / kStripeFrames, row / family.rows, depth}));
  return 1 - stack_.stripes * static_cast<double>(std::min(dark, 1.0F));
}

double StackSimulator::deviation(double signal) const noexcept {
  const double gain = stack_.noise.electrons_per_level;
  const double light = std::max(0.0, signal - stack_.noise.offset);
  const double shot = gain > 0 ? light / gain : 0;
  return std::sqrt(shot + stack_.noise.read_noise * stack_.noise.read_noise + 1.0 / 12);
}

void StackSimulator::apply_light(std::int64_t frame, SimulatedCorner corner, ImageView<float> image) const {
  const auto offset = static_cast<float>(stack_.noise.offset);
  // Stripes as a noise in (frame, row, depth): a plane of constant frame.
  std::vector<PlaneFrame> planes;
  std::vector<PlaneNoise> noises;
  if (stack_.stripes > 0) {
    planes.reserve(kStripes.size());
    for (const StripeFamily& family : kStripes) {
      planes.emplace_back(Plane{{static_cast<double>(frame) / kStripeFrames, 0, 0},
                                90,
                                1 / family.rows,
                                kStripeDepths / static_cast<double>(stack_.columns),
                                corner.row,
                                corner.column,
                                image.rows,
                                image.columns});
      noises.emplace_back(stripe_lattice(stripe_key_, family), planes.back());
    }
  }
  std::vector<float> profile(static_cast<std::size_t>(image.columns));
  const auto strength = static_cast<float>(stack_.stripes);
  for (std::int64_t i = 0; i < image.rows; ++i) {
    float* row = image.row(i);
    for (std::int64_t j = 0; j < image.columns; ++j)
      profile[static_cast<std::size_t>(j)] = static_cast<float>(
          illumination(static_cast<double>(corner.row + i), static_cast<double>(corner.column + j)));
    if (!noises.empty()) {
      const PlaneNoise::Row narrow = noises[0].row(i), wide = noises[1].row(i);
      for (std::int64_t j = 0; j < image.columns; ++j) {
        const float n = narrow.first[j] + narrow.weight * (narrow.second[j] - narrow.first[j]);
        const float w = wide.first[j] + wide.weight * (wide.second[j] - wide.first[j]);
        const float dark = kStripes[0].share * darkness(n) + kStripes[1].share * darkness(w);
        profile[static_cast<std::size_t>(j)] *= 1 - strength * std::min(dark, 1.0F);
      }
    }
    for (std::int64_t j = 0; j < image.columns; ++j)
      row[j] = offset + row[j] * profile[static_cast<std::size_t>(j)];
  }
}

void StackSimulator::signal(std::int64_t frame, SimulatedCorner corner, ImageView<float> out) const {
  if (stack_.content == StackContent::nothing) {
    for (std::int64_t i = 0; i < out.rows; ++i)
      std::fill_n(out.row(i), out.columns, static_cast<float>(stack_.noise.offset));
    return;
  }
  Plane plane;
  plane.origin_um = stack_.position_um;
  plane.origin_um.x += stack_.direction * static_cast<double>(frame) * stack_.x_step_um;
  plane.tilt_degrees = stack_.tilt_degrees;
  plane.row_um = plane.column_um = stack_.y_voxel_um;
  plane.first_row = corner.row;
  plane.first_column = corner.column;
  plane.rows = out.rows;
  plane.columns = out.columns;
  phantom_.render(plane, out);
  apply_light(frame, corner, out);
}

void StackSimulator::expose(std::int64_t frame, SimulatedCorner corner, ImageView<std::uint16_t> out) const {
  std::vector<float> light(static_cast<std::size_t>(out.rows * out.columns));
  const ImageView<float> image{light.data(), out.rows, out.columns, out.columns};
  signal(frame, corner, image);
  const std::uint64_t key = subkey(noise_key_, frame);
  for (std::int64_t i = 0; i < out.rows; ++i)
    add_noise(stack_.noise, key, (corner.row + i) * stack_.columns + corner.column, out.columns, image.row(i),
              out.row(i));
}

void StackSimulator::read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) const {
  if (stack_.stored == StoredFrames::oriented) return expose(frame, {first_row, 0}, out);
  // oriented[i, j] is stored at [columns − 1 − j, rows − 1 − i]: stored rows are oriented columns from the
  // last one.
  const std::int64_t first_column = stack_.columns - first_row - out.rows;
  std::vector<std::uint16_t> pixels(static_cast<std::size_t>(stack_.rows * out.rows));
  const ImageView<std::uint16_t> image{pixels.data(), stack_.rows, out.rows, out.rows};
  expose(frame, {0, first_column}, image);
  constexpr std::int64_t kBlock = 32;  // a block of both images stays in the first cache
  for (std::int64_t r0 = 0; r0 < out.rows; r0 += kBlock)
    for (std::int64_t c0 = 0; c0 < out.columns; c0 += kBlock)
      for (std::int64_t r = r0; r < std::min(r0 + kBlock, out.rows); ++r)
        for (std::int64_t c = c0; c < std::min(c0 + kBlock, out.columns); ++c)
          out.row(r)[c] = image.row(stack_.rows - 1 - c)[out.rows - 1 - r];
}

}  // namespace spim
