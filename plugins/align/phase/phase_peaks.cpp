#include "phase_peaks.hpp"

#include <algorithm>

#include "common/survey.hpp"
#include "fourier.hpp"

namespace spim {

namespace {

using alignment::Cells;

/// Values times weights, so that faces fade, in a volume of `size`; the rest is 0, the mean.
Spectrum padded(const Cells& cells, Index3 size) {
  Spectrum volume{size, {}};
  volume.values.resize(static_cast<std::size_t>(count(size)));
  for (std::int64_t z = 0; z < cells.size.z; ++z)
    for (std::int64_t y = 0; y < cells.size.y; ++y)
      for (std::int64_t x = 0; x < cells.size.x; ++x) {
        const auto i = static_cast<std::size_t>(cells.at({x, y, z}));
        volume.values[static_cast<std::size_t>((z * size.y + y) * size.x + x)] =
            cells.value[i] * cells.weight[i];
      }
  return volume;
}

/// The correlation at displacement d of the fixed window inside the moving one, at volume index d.
Spectrum phase_correlation(const Cells& fixed, const Cells& moving) {
  const Index3 size{good_length(moving.size.x), good_length(moving.size.y), good_length(moving.size.z)};
  Spectrum f = padded(fixed, size), m = padded(moving, size);
  transform(f);
  transform(m);
  double sum = 0;
  for (std::size_t i = 0; i < m.values.size(); ++i) {
    m.values[i] *= std::conj(f.values[i]);
    sum += static_cast<double>(std::abs(m.values[i]));
  }
  constexpr double kFade = 0.1;
  const auto fade = static_cast<float>(kFade * sum / static_cast<double>(m.values.size()));
  for (auto& value : m.values) {
    const float scale = std::abs(value) + fade;
    value = scale > 0 ? value / scale : 0.0F;
  }
  transform_back(m);
  return m;
}

struct Candidate {
  Index3 shift;
  float height;
};

}  // namespace

std::vector<Index3> phase_peaks(const Cells& fixed, const Cells& moving, std::size_t most) {
  const Spectrum surface = phase_correlation(fixed, moving);
  const Index3 room = moving.size - fixed.size;
  const auto height = [&](Index3 d) {
    return surface.values[static_cast<std::size_t>((d.z * surface.size.y + d.y) * surface.size.x + d.x)]
        .real();
  };
  const Box inside{{}, room + Index3{1, 1, 1}};
  std::vector<Candidate> found;
  for (std::int64_t z = 0; z <= room.z; ++z)
    for (std::int64_t y = 0; y <= room.y; ++y)
      for (std::int64_t x = 0; x <= room.x; ++x) {
        const Index3 d{x, y, z};
        const float here = height(d);
        bool highest = here > 0;
        alignment::for_neighbours([&](Index3 step) {
          const Index3 other = d + step;
          if (highest && contains(inside, {other, other + Index3{1, 1, 1}})) highest = height(other) <= here;
        });
        if (highest) found.push_back({{room.x / 2 - x, room.y / 2 - y, room.z / 2 - z}, here});
      }
  std::stable_sort(found.begin(), found.end(),
                   [](const Candidate& a, const Candidate& b) { return a.height > b.height; });
  std::vector<Index3> shifts;
  for (std::size_t i = 0; i < std::min(most, found.size()); ++i) shifts.push_back(found[i].shift);
  return shifts;
}

}  // namespace spim
