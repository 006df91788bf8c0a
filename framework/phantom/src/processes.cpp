#include <algorithm>
#include <array>
#include <cmath>

#include "lattice_noise.hpp"
#include "phantom/hash.hpp"
#include "spim/clones.hpp"
#include "tissue.hpp"

namespace spim {

namespace {

constexpr double kPitch = 20;  ///< of the grid of starting points
constexpr int kTrunkSteps = 8;
constexpr int kBranchSteps = 4;
constexpr double kStep = 7;                     ///< length of a straight piece
constexpr double kReach = kTrunkSteps * kStep;  ///< no piece is farther from the start
constexpr double kRadiusLow = 1.9, kRadiusHigh = 3.2;
constexpr double kProbability = 0.4;  ///< that a process starts in a cell of the grid
constexpr double kBend = 0.42;        ///< how much the direction changes from piece to piece

/// A straight piece with round ends, in (a, b, h).
struct Piece {
  Vec3 from;
  Vec3 along;
  double radius = 0;
  float level = 0;
};

Vec3 operator*(Vec3 v, double f) {
  return {v.x * f, v.y * f, v.z * f};
}
double dot(Vec3 a, Vec3 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
Vec3 normalised(Vec3 v) {
  return v * (1 / std::sqrt(std::max(dot(v, v), 1e-12)));
}
Vec3 random_offset(Draw& draw) {
  const double x = draw.between(-1, 1), y = draw.between(-1, 1), z = draw.between(-1, 1);
  return {x, y, z};
}

/// One row of a piece on the plane; a and b run over its points, h = 0 there.
struct PieceRow {
  float along_a, along_2;  ///< direction along the row, and squared length of the whole direction
  float rest_dot, rest_2;  ///< (b − from_b, −from_h) · (along_b, along_h), and its own square
  float inverse_radius_2, level;
};

SPIM_CLONES void draw_piece_row(const PieceRow& piece, const float* a, std::int64_t count, float* out) {
  const PieceRow p = piece;
  const float inverse = 1 / p.along_2;
  for (std::int64_t j = 0; j < count; ++j) {
    const float w = a[j];
    const float projected = w * p.along_a + p.rest_dot;
    const float t = std::min(1.0F, std::max(0.0F, projected * inverse));
    const float distance_2 = w * w + p.rest_2 - 2 * t * projected + t * t * p.along_2;
    const float inside = std::max(0.0F, 1 - distance_2 * p.inverse_radius_2);
    out[j] = std::max(out[j], p.level * inside * inside);
  }
}

void draw_piece(const Piece& piece, const PlaneFrame& frame, ImageView<float> image) {
  // The part of the piece that is within its radius of the plane.
  double low = 0, high = 1;
  if (std::abs(piece.along.z) > 1e-9) {
    const double t0 = (-piece.radius - piece.from.z) / piece.along.z;
    const double t1 = (piece.radius - piece.from.z) / piece.along.z;
    low = std::max(0.0, std::min(t0, t1));
    high = std::min(1.0, std::max(t0, t1));
    if (low > high) return;
  } else if (std::abs(piece.from.z) > piece.radius) {
    return;
  }
  const auto [a0, a1] =
      std::minmax({piece.from.x + low * piece.along.x, piece.from.x + high * piece.along.x});
  const auto [b0, b1] =
      std::minmax({piece.from.y + low * piece.along.y, piece.from.y + high * piece.along.y});
  const Span columns = frame.columns(a0 - piece.radius, a1 + piece.radius);
  const Span rows = frame.rows(b0 - piece.radius, b1 + piece.radius);
  if (columns.size() == 0 || rows.size() == 0) return;
  constexpr std::int64_t kChunk = 64;
  for (std::int64_t begin = columns.first; begin <= columns.last; begin += kChunk) {
    const std::int64_t count = std::min(kChunk, columns.last + 1 - begin);
    std::array<float, kChunk> a;
    for (std::int64_t j = 0; j < count; ++j)
      a[static_cast<std::size_t>(j)] = static_cast<float>(frame.a(begin + j) - piece.from.x);
    for (std::int64_t i = rows.first; i <= rows.last; ++i) {
      const double b = frame.b(i) - piece.from.y, h = -piece.from.z;
      const PieceRow row{static_cast<float>(piece.along.x),
                         static_cast<float>(dot(piece.along, piece.along)),
                         static_cast<float>(b * piece.along.y + h * piece.along.z),
                         static_cast<float>(b * b + h * h),
                         static_cast<float>(1 / (piece.radius * piece.radius)),
                         piece.level};
      draw_piece_row(row, a.data(), count, image.row(i) + begin);
    }
  }
}

/// A point moving through the tissue.
struct Walk {
  Vec3 at;  ///< µm
  Vec3 direction;
  double radius = 0;
  float level = 0;
  int steps = 0;  ///< that are left
};

/// What walks are drawn on.
struct Canvas {
  const PlaneFrame& frame;
  ImageView<float> image;
  double step_um;
};

/// A lower bound of the distance from a point (a, b, h) to the part of the plane that is wanted.
double distance_to(const PlaneFrame& frame, Vec3 p) {
  const Plane& plane = frame.plane();
  const double left = frame.a(0) - p.x, right = p.x - frame.a(plane.columns - 1);
  const double above = frame.b(0) - p.y, below = p.y - frame.b(plane.rows - 1);
  return std::max({std::abs(p.z), left, right, above, below});
}

/// Draws the pieces of a walk; its numbers come from `draw` alone. A trunk has a branch behind piece `fork`.
/// Ends early when what is left, a branch included, cannot reach the plane.
void walk(Walk w, int fork, Draw& draw, const Canvas& canvas) {
  for (int n = 0; w.steps > 0; ++n) {
    const Vec3 at = canvas.frame.locate(w.at);
    if (distance_to(canvas.frame, at) > w.steps * canvas.step_um + w.radius) return;
    w.direction = normalised(w.direction + random_offset(draw) * kBend);
    const Vec3 along = w.direction * canvas.step_um;
    draw_piece({at, canvas.frame.turn(along), w.radius, w.level}, canvas.frame, canvas.image);
    w.at = w.at + along;
    --w.steps;
    if (n != fork) continue;
    // The branch has its own numbers, so that the trunk does not depend on whether all of it was walked.
    Walk branch = w;
    Draw own(subkey(draw.key(), 1));
    branch.direction = normalised(w.direction + random_offset(own));
    branch.radius *= 0.85;
    branch.steps = std::min(kBranchSteps, w.steps);
    walk(branch, -1, own, canvas);
  }
}

}  // namespace

void draw_processes(const Tissue& tissue, const PlaneFrame& frame, ImageView<float> image) {
  const double pitch = kPitch * tissue.scale;
  const double reach = (kReach + kRadiusHigh) * tissue.scale;
  const Lattice grid{subkey(tissue.seed, 202), pitch,
                     tissue.repeat * static_cast<std::int64_t>(kRepeatUnit / kPitch)};
  for_each_grid_cell(frame, pitch, reach, [&](std::int64_t gx, std::int64_t gy, std::int64_t gz) {
    const std::uint64_t key = grid_key(grid.key, grid.fold(gx), grid.fold(gy), grid.fold(gz));
    Draw draw(key);
    if (draw.uniform() > kProbability) return;
    Walk trunk;
    trunk.at = {(static_cast<double>(gx) + draw.uniform()) * pitch,
                (static_cast<double>(gy) + draw.uniform()) * pitch,
                (static_cast<double>(gz) + draw.uniform()) * pitch};
    if (std::abs(frame.locate(trunk.at).z) > reach) return;
    trunk.direction = normalised(random_offset(draw));
    trunk.radius = draw.between(kRadiusLow, kRadiusHigh) * tissue.scale;
    Draw bright(subkey(key, 7 + tissue.channel));
    trunk.level = 450 * static_cast<float>(std::exp(bright.between(-0.9, 0.9)));
    trunk.steps = kTrunkSteps;
    const int fork = 2 + static_cast<int>(3 * draw.uniform());
    walk(trunk, fork, draw, {frame, image, kStep * tissue.scale});
  });
}

}  // namespace spim
