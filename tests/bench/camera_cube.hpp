#pragma once
/// Chunks like those of a light-sheet microscope.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace spim::test {

enum class Scene { tissue, background };

/// A cube of camera counts: offset 100 with read noise of 1.6 electrons and shot noise at 0.46 electrons a
/// count, the constants of a scientific CMOS camera. Tissue: structure of 20 to 2000 counts with blurred
/// cells; background: nearly nothing, one dim cell.
inline std::vector<std::uint16_t> camera_cube(Scene scene, std::int64_t edge) {
  constexpr double kOffset = 100, kReadNoise = 1.6, kElectronsPerCount = 0.46;
  struct Cell {
    double x, y, z, radius, counts;
  };
  std::mt19937_64 random(42);
  std::uniform_real_distribution<double> place(0, static_cast<double>(edge)), unit(0, 1);
  std::normal_distribution<double> normal;
  std::vector<Cell> cells;
  const auto cells_wanted = scene == Scene::tissue ? edge * edge * edge / 13000 : 1;
  for (std::int64_t i = 0; i < cells_wanted; ++i)
    cells.push_back({place(random), place(random), place(random), 2 + 6 * unit(random),
                     scene == Scene::tissue ? std::exp(3 + 4.6 * unit(random)) : 50});
  std::vector<double> counts(static_cast<std::size_t>(edge * edge * edge));
  std::size_t i = 0;
  for (std::int64_t z = 0; z < edge; ++z)
    for (std::int64_t y = 0; y < edge; ++y)
      for (std::int64_t x = 0; x < edge; ++x, ++i)
        counts[i] = scene == Scene::tissue ? 60 + 40 * std::sin(0.05 * static_cast<double>(x)) *
                                                      std::cos(0.04 * static_cast<double>(y + z))
                                           : 3;
  for (const Cell& cell : cells) {
    const auto reach = static_cast<std::int64_t>(3 * cell.radius);
    const auto from = [&](double c) {
      return std::max<std::int64_t>(0, static_cast<std::int64_t>(c) - reach);
    };
    const auto to = [&](double c) { return std::min(edge, static_cast<std::int64_t>(c) + reach + 1); };
    for (std::int64_t z = from(cell.z); z < to(cell.z); ++z)
      for (std::int64_t y = from(cell.y); y < to(cell.y); ++y)
        for (std::int64_t x = from(cell.x); x < to(cell.x); ++x) {
          const double r2 = std::pow(static_cast<double>(x) - cell.x, 2) +
                            std::pow(static_cast<double>(y) - cell.y, 2) +
                            std::pow(static_cast<double>(z) - cell.z, 2);
          counts[static_cast<std::size_t>((z * edge + y) * edge + x)] +=
              cell.counts * std::exp(-r2 / (cell.radius * cell.radius));
        }
  }
  std::vector<std::uint16_t> voxels(counts.size());
  for (i = 0; i < counts.size(); ++i) {
    const double electrons = counts[i] * kElectronsPerCount;
    const double noisy = electrons + std::sqrt(electrons + kReadNoise * kReadNoise) * normal(random);
    voxels[i] = static_cast<std::uint16_t>(std::clamp(kOffset + noisy / kElectronsPerCount, 0.0, 65535.0));
  }
  return voxels;
}

}  // namespace spim::test
