#include "misplacement.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>

#include "phantom/hash.hpp"
#include "spim/clones.hpp"

namespace spim::detail {

namespace {

constexpr Index3 kWindow{32, 32, 16};
constexpr int kTries = 400;          ///< random windows looked at
constexpr std::size_t kRated = 24;   ///< of those that fit, how many are rated by their content
constexpr std::size_t kWindows = 6;  ///< how many are used

/// Which rows of a window are compared: those with (y + z) divisible by `every`. A quarter of them is enough
/// to find the neighbourhood of the right shift.
struct Rows {
  std::int64_t every = 1;
  double voxels = 0, sum = 0, square = 0;  ///< of the window's voxels in these rows
};

/// A part of the volume that one tile covers alone.
struct Window {
  Box box;
  double contrast = 0;          ///< standard deviation of the truth
  std::vector<float> voxels;    ///< of the volume, mean subtracted
  std::vector<float> surround;  ///< truth of the box grown by the search
  Rows some{4}, all{1};
};

bool covered_by(const TileModel& tile, const Box& box) {
  const Index3 last = box.end - Index3{1, 1, 1};
  for (const std::int64_t x : {box.begin.x, last.x})
    for (const std::int64_t z : {box.begin.z, last.z})
      if (!tile.covers({x, box.begin.y, z}) || !tile.covers({x, last.y, z})) return false;
  return true;
}

/// True when no voxel of the box can belong to the tile: its frame positions are linear in x and z.
bool outside(const TileModel& tile, const Box& box) {
  if (intersect(tile.bounds(), box).empty()) return true;
  const Index3 last = box.end - Index3{1, 1, 1};
  std::array<double, 4> k = {tile.frame_position(box.begin.x, box.begin.z),
                             tile.frame_position(last.x, box.begin.z),
                             tile.frame_position(box.begin.x, last.z), tile.frame_position(last.x, last.z)};
  const auto [low, high] = std::minmax_element(k.begin(), k.end());
  return *high < 0 || *low > static_cast<double>(tile.frames() - 1);
}

double deviation(const std::vector<float>& values) {
  double sum = 0, square = 0;
  for (const double v : values) {
    sum += v;
    square += v * v;
  }
  const auto n = static_cast<double>(values.size());
  return std::sqrt(std::max(0.0, square / n - sum / n * (sum / n)));
}

std::vector<Window> choose_windows(const TruthModel& model, std::size_t tile,
                                   const MisplacementSearch& search) {
  const TileModel& own = model.tiles()[tile];
  const Box bounds = own.bounds();
  const Index3 size = min(kWindow, bounds.size());
  std::vector<Window> windows;
  if (bounds.empty()) return windows;
  Draw draw(subkey(subkey(search.seed, 808), static_cast<std::int64_t>(tile)));
  const auto pick = [&draw](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(draw.uniform() * static_cast<double>(high - low + 1));
  };
  for (int n = 0; n < kTries && windows.size() < kRated; ++n) {
    const Index3 begin{pick(bounds.begin.x, bounds.end.x - size.x),
                       pick(bounds.begin.y, bounds.end.y - size.y),
                       pick(bounds.begin.z, bounds.end.z - size.z)};
    Window window;
    window.box = {begin, begin + size};
    if (!covered_by(own, window.box)) continue;
    bool alone = true;
    for (std::size_t t = 0; t < model.tiles().size() && alone; ++t)
      alone = t == tile || outside(model.tiles()[t], window.box);
    if (!alone) continue;
    window.contrast = deviation(own.content(window.box));
    windows.push_back(std::move(window));
  }
  std::stable_sort(windows.begin(), windows.end(),
                   [](const Window& a, const Window& b) { return a.contrast > b.contrast; });
  if (windows.size() > kWindows) windows.resize(kWindows);
  std::erase_if(windows, [&own](const Window& w) { return w.contrast < own.dark_noise(); });
  return windows;
}

void sum_up(const Window& window, Rows& rows) {
  const Index3 size = window.box.size();
  for (std::int64_t z = 0; z < size.z; ++z)
    for (std::int64_t y = 0; y < size.y; ++y)
      if ((y + z) % rows.every == 0)
        for (std::int64_t x = 0; x < size.x; ++x) {
          const auto v =
              static_cast<double>(window.voxels[static_cast<std::size_t>((z * size.y + y) * size.x + x)]);
          rows.voxels += 1;
          rows.sum += v;
          rows.square += v * v;
        }
}

void load(Window& window, const TileModel& tile, VolumeReader& volume, std::int64_t search) {
  const Index3 size = window.box.size();
  std::vector<std::uint16_t> raw(static_cast<std::size_t>(count(size)));
  volume.read(0, window.box, dense_view(raw.data(), size));
  double mean = 0;
  for (const double v : raw) mean += v / static_cast<double>(raw.size());
  window.voxels.reserve(raw.size());
  for (const double v : raw) window.voxels.push_back(static_cast<float>(v - mean));
  sum_up(window, window.some);
  sum_up(window, window.all);
  const Index3 margin{search, search, search};
  window.surround = tile.content({window.box.begin - margin, window.box.end + margin});
}

/// Sums over one row of a window and the truth beside it.
struct RowSums {
  float product, sum, square;
};

SPIM_CLONES RowSums row_sums(const float* voxels, const float* truth, std::int64_t count) {
  // Eight partial sums, so that they can be computed side by side without changing the order of additions.
  constexpr std::int64_t kLanes = 8;
  float product[kLanes] = {}, sum[kLanes] = {}, square[kLanes] = {};
  std::int64_t n = 0;
  for (; n + kLanes <= count; n += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const float t = truth[n + lane];
      product[lane] += voxels[n + lane] * t;
      sum[lane] += t;
      square[lane] += t * t;
    }
  RowSums sums{0, 0, 0};
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    sums.product += product[lane];
    sums.sum += sum[lane];
    sums.square += square[lane];
  }
  for (; n < count; ++n) {
    sums.product += voxels[n] * truth[n];
    sums.sum += truth[n];
    sums.square += truth[n] * truth[n];
  }
  return sums;
}

/// Pearson correlation of some rows of the window with the truth `shift` voxels from their place.
double correlation_at(const Window& window, const Rows& rows, Index3 shift, std::int64_t search) {
  const Index3 size = window.box.size();
  const Index3 grown = size + Index3{2 * search, 2 * search, 2 * search};
  double product = 0, sum = 0, square = 0;
  for (std::int64_t z = 0; z < size.z; ++z)
    for (std::int64_t y = (rows.every - z % rows.every) % rows.every; y < size.y; y += rows.every) {
      const float* truth = window.surround.data() +
                           ((z + search + shift.z) * grown.y + y + search + shift.y) * grown.x + search +
                           shift.x;
      const RowSums row = row_sums(window.voxels.data() + (z * size.y + y) * size.x, truth, size.x);
      product += static_cast<double>(row.product);
      sum += static_cast<double>(row.sum);
      square += static_cast<double>(row.square);
    }
  const double n = rows.voxels;
  const double truth_variance = square - sum * sum / n, variance = rows.square - rows.sum * rows.sum / n;
  if (n == 0 || truth_variance <= 0 || variance <= 0) return 0;
  return (product - sum * rows.sum / n) / std::sqrt(truth_variance * variance);
}

/// The shift in `box` (both ends included) with the largest sum of correlations.
Index3 best_shift(const std::vector<Window>& windows, Rows Window::*rows, const Box& box,
                  std::int64_t search) {
  Index3 best = box.begin;
  double best_correlation = -1e300;
  for (std::int64_t z = box.begin.z; z <= box.end.z; ++z)
    for (std::int64_t y = box.begin.y; y <= box.end.y; ++y)
      for (std::int64_t x = box.begin.x; x <= box.end.x; ++x) {
        double sum = 0;
        for (const Window& window : windows) sum += correlation_at(window, window.*rows, {x, y, z}, search);
        if (sum > best_correlation) {
          best_correlation = sum;
          best = {x, y, z};
        }
      }
  return best;
}

Index3 best_whole_shift(const std::vector<Window>& windows, std::int64_t search) {
  const Index3 limit{search, search, search}, one{1, 1, 1};
  const Box everywhere{Index3{} - limit, limit};
  const Index3 near = best_shift(windows, &Window::some, everywhere, search);
  return best_shift(windows, &Window::all, {max(near - one, everywhere.begin), min(near + one, limit)},
                    search);
}

/// Truth of a window for a shift of the tile.
struct Rendered {
  std::vector<float> level, variance;
};
Rendered render(const TileModel& tile, const Box& box, Vec3 shift_um) {
  const Index3 size = box.size();
  const auto voxels = static_cast<std::size_t>(count(size));
  Rendered r{std::vector<float>(voxels), std::vector<float>(voxels)};
  for (std::int64_t z = 0; z < size.z; ++z)
    tile.evaluate({box.begin.z + z, box, shift_um}, r.level.data() + z * size.x * size.y,
                  r.variance.data() + z * size.x * size.y);
  return r;
}

/// One Gauss-Newton step for the shift, with a gain and an offset free; returns it in voxels.
Vec3 fit_step(const std::vector<Window>& windows, const TileModel& tile, Vec3 shift_um) {
  constexpr double kHalf = 0.25;  // central differences over half a voxel
  const Vec3 voxel = tile.voxel_um();
  const std::array<Vec3, 3> axes = {
      {{voxel.x * kHalf, 0, 0}, {0, voxel.y * kHalf, 0}, {0, 0, voxel.z * kHalf}}};
  Eigen::Matrix<double, 5, 5> normal = Eigen::Matrix<double, 5, 5>::Zero();
  Eigen::Matrix<double, 5, 1> right = Eigen::Matrix<double, 5, 1>::Zero();
  for (const Window& window : windows) {
    const Rendered here = render(tile, window.box, shift_um);
    std::array<Rendered, 3> ahead, behind;
    for (std::size_t a = 0; a < 3; ++a) {
      ahead[a] = render(tile, window.box, shift_um + axes[a]);
      behind[a] = render(tile, window.box, shift_um - axes[a]);
    }
    for (std::size_t n = 0; n < window.voxels.size(); ++n) {
      if (here.variance[n] <= 0) continue;
      Eigen::Matrix<double, 5, 1> row;
      for (std::size_t a = 0; a < 3; ++a)
        row[static_cast<Eigen::Index>(a)] =
            static_cast<double>(ahead[a].level[n] - behind[a].level[n]) / (2 * kHalf);
      row[3] = static_cast<double>(here.level[n]);
      row[4] = 1;
      const double weight = 1 / static_cast<double>(here.variance[n]);
      normal += weight * row * row.transpose();
      right += weight * static_cast<double>(window.voxels[n] - here.level[n]) * row;
    }
  }
  const Eigen::Matrix<double, 5, 1> step = normal.ldlt().solve(right);
  const auto limited = [](double v) { return std::isfinite(v) ? std::clamp(v, -1.0, 1.0) : 0; };
  return {limited(step[0]), limited(step[1]), limited(step[2])};
}

double correlation(const std::vector<Window>& windows, const TileModel& tile, Vec3 shift_um) {
  double xx = 0, xy = 0, yy = 0;
  for (const Window& window : windows) {
    const std::vector<float> truth = render(tile, window.box, shift_um).level;
    double mean = 0;
    for (const double v : truth) mean += v / static_cast<double>(truth.size());
    for (std::size_t n = 0; n < truth.size(); ++n) {
      const double x = static_cast<double>(truth[n]) - mean, y = static_cast<double>(window.voxels[n]);
      xx += x * x;
      xy += x * y;
      yy += y * y;
    }
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

}  // namespace

Misplacement find_misplacement(const TruthModel& model, std::size_t tile, VolumeReader& volume,
                               const MisplacementSearch& search) {
  const TileModel& own = model.tiles()[tile];
  std::vector<Window> windows = choose_windows(model, tile, search);
  if (windows.empty()) return {};
  for (Window& window : windows) load(window, own, volume, search.voxels);
  const Index3 whole = best_whole_shift(windows, search.voxels);
  const Vec3 voxel = own.voxel_um();
  Misplacement found;
  found.shift_um = {static_cast<double>(whole.x) * voxel.x, static_cast<double>(whole.y) * voxel.y,
                    static_cast<double>(whole.z) * voxel.z};
  for (int n = 0; n < 5; ++n) {
    const Vec3 step = fit_step(windows, own, found.shift_um);
    found.shift_um = found.shift_um + Vec3{step.x * voxel.x, step.y * voxel.y, step.z * voxel.z};
    if (std::max({std::abs(step.x), std::abs(step.y), std::abs(step.z)}) < 0.01) break;
  }
  found.correlation = correlation(windows, own, found.shift_um);
  found.measured = found.correlation > 0.2;  // nothing that looks like the tile is anywhere near otherwise
  return found;
}

}  // namespace spim::detail
