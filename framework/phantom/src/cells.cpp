#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "lattice_noise.hpp"
#include "phantom/hash.hpp"
#include "spim/clones.hpp"
#include "tissue.hpp"

namespace spim {

namespace {

/// A population of cells: at most one per cell of a grid.
struct Population {
  int number;
  double pitch;        ///< of the grid
  double probability;  ///< that a grid cell is occupied, where cells are densest
  double radius_low;   ///< of the mean half axis
  double radius_high;
  float level;    ///< typical grey level
  float nucleus;  ///< how much darker the middle is, 0 … 1
};

constexpr std::array<Population, 3> kPopulations = {{
    {0, 40, 0.95, 6.0, 10.0, 1800, 0.45F},
    {1, 20, 0.8, 3.6, 5.6, 1300, 0.25F},
    {2, 10, 0.3, 2.4, 3.4, 600, 0.0F},
}};
constexpr double kStretch = 1.35;      ///< longest half axis over the mean one, at most
constexpr double kClusterPitch = 160;  ///< size of the regions where cells are dense or rare; divides no
                                       ///< period, so it follows kRepeatUnit when the tissue repeats

/// A cell cut by a plane: grey level as a function of q = q0 + …, which is 1 on the cell's surface.
struct Cell {
  Vec3 centre;  ///< (a, b, h)
  double radius = 0;
  float level = 0;
  float nucleus = 0;
  std::array<double, 6> m{};  ///< aa, bb, hh, ab, ah, bh of the quadratic form
};

/// Three perpendicular unit vectors, evenly distributed, as rows.
std::array<Vec3, 3> random_rotation(Draw& draw) {
  // A uniform unit quaternion (Shoemake 1992).
  const double u = draw.uniform(), s = std::sqrt(1 - u), t = std::sqrt(u);
  const double p = 2 * std::numbers::pi * draw.uniform(), o = 2 * std::numbers::pi * draw.uniform();
  const double x = s * std::sin(p), y = s * std::cos(p), z = t * std::sin(o), w = t * std::cos(o);
  return {{{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
           {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
           {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}}};
}

/// Fills in the shape of a cell: an ellipsoid in a random direction.
void shape(Cell& cell, Draw& draw, double mean, const PlaneFrame& frame) {
  const double stretch = draw.between(1, kStretch), flatten = draw.between(0.8, 1);
  const std::array<double, 3> half = {mean * stretch, mean * flatten, mean / std::sqrt(stretch)};
  cell.m = {};
  const std::array<Vec3, 3> axes = random_rotation(draw);
  for (std::size_t n = 0; n < 3; ++n) {
    const Vec3 e = frame.turn(axes[n]);
    const double weight = 1 / (half[n] * half[n]);
    cell.m[0] += weight * e.x * e.x;
    cell.m[1] += weight * e.y * e.y;
    cell.m[2] += weight * e.z * e.z;
    cell.m[3] += weight * e.x * e.y;
    cell.m[4] += weight * e.x * e.z;
    cell.m[5] += weight * e.y * e.z;
  }
  cell.radius = std::max({half[0], half[1], half[2]});
}

/// One row of a cell: q = (m·a + linear)·a + constant; soft edge, darker nucleus where q < 0.2.
struct CellRow {
  float m, linear, constant, level, nucleus;
};

SPIM_CLONES void draw_cell_row(const CellRow& cell, const float* a, std::int64_t count, float* out) {
  const CellRow c = cell;
  for (std::int64_t j = 0; j < count; ++j) {
    const float q = (c.m * a[j] + c.linear) * a[j] + c.constant;
    const float t = std::max(0.0F, 1 - q);
    const float core = std::max(0.0F, 1 - 5 * q);
    out[j] += c.level * (t * t * (3 - 2 * t) - c.nucleus * core * core);
  }
}

void draw_cell(const Cell& cell, const PlaneFrame& frame, ImageView<float> image) {
  const double reach = std::sqrt(std::max(0.0, cell.radius * cell.radius - cell.centre.z * cell.centre.z));
  const Span columns = frame.columns(cell.centre.x - reach, cell.centre.x + reach);
  const Span rows = frame.rows(cell.centre.y - reach, cell.centre.y + reach);
  if (columns.size() == 0 || rows.size() == 0) return;
  // The widest cell has kStretch·10·2 / column pitch columns; drawn in pieces so that the buffer can be
  // small.
  constexpr std::int64_t kPiece = 64;
  const double h = -cell.centre.z;
  for (std::int64_t begin = columns.first; begin <= columns.last; begin += kPiece) {
    const std::int64_t count = std::min(kPiece, columns.last + 1 - begin);
    std::array<float, kPiece> a;
    for (std::int64_t j = 0; j < count; ++j)
      a[static_cast<std::size_t>(j)] = static_cast<float>(frame.a(begin + j) - cell.centre.x);
    for (std::int64_t i = rows.first; i <= rows.last; ++i) {
      const double b = frame.b(i) - cell.centre.y;
      const CellRow row{static_cast<float>(cell.m[0]),
                        static_cast<float>(2 * (cell.m[3] * b + cell.m[4] * h)),
                        static_cast<float>(cell.m[1] * b * b + 2 * cell.m[5] * b * h + cell.m[2] * h * h),
                        cell.level, cell.nucleus};
      draw_cell_row(row, a.data(), count, image.row(i) + begin);
    }
  }
}

}  // namespace

void draw_cells(const Tissue& tissue, const PlaneFrame& frame, ImageView<float> image) {
  const std::uint64_t key = subkey(tissue.seed, 101);
  const double cluster_pitch = (tissue.repeat > 0 ? kRepeatUnit : kClusterPitch) * tissue.scale;
  const Lattice clusters{subkey(key, 50), cluster_pitch, tissue.repeat};
  for (const Population& kind : kPopulations) {
    const double pitch = kind.pitch * tissue.scale;
    const double reach = kind.radius_high * kStretch * tissue.scale;
    const Lattice grid{subkey(key, kind.number), pitch,
                       tissue.repeat * static_cast<std::int64_t>(kRepeatUnit / kind.pitch)};
    for_each_grid_cell(frame, pitch, reach, [&](std::int64_t gx, std::int64_t gy, std::int64_t gz) {
      const std::uint64_t cell_key = grid_key(grid.key, grid.fold(gx), grid.fold(gy), grid.fold(gz));
      Draw draw(cell_key);
      const double chance = draw.uniform();
      if (chance > kind.probability) return;
      const Vec3 centre{(static_cast<double>(gx) + draw.uniform()) * pitch,
                        (static_cast<double>(gy) + draw.uniform()) * pitch,
                        (static_cast<double>(gz) + draw.uniform()) * pitch};
      Cell cell;
      cell.centre = frame.locate(centre);
      if (std::abs(cell.centre.z) > reach) return;
      const float density = ease(std::clamp((noise_at(clusters, centre) - 0.35F) / 0.35F, 0.0F, 1.0F));
      if (chance > kind.probability * (0.12 + 0.88 * static_cast<double>(density))) return;
      shape(cell, draw, draw.between(kind.radius_low, kind.radius_high) * tissue.scale, frame);
      if (std::abs(cell.centre.z) >= cell.radius) return;
      Draw bright(subkey(cell_key, 7 + tissue.channel));
      cell.level = kind.level * static_cast<float>(std::exp(bright.between(-1.2, 1.2)));
      cell.nucleus = kind.nucleus;
      draw_cell(cell, frame, image);
    });
  }
}

}  // namespace spim
