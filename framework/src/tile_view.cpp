#include <algorithm>
#include <limits>
#include <vector>

#include "spim/host/align_tiles.hpp"

namespace spim {

void VolumeTileView::read(const Box& box, VolumeView<float> out) {
  constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();
  const Index3 size = box.size();
  std::vector<std::uint16_t> raw(static_cast<std::size_t>(count(size)));
  volume_->read(box, dense_view(raw.data(), size));
  const auto voxels = dense_view(raw.data(), size);
  for (std::int64_t z = 0; z < size.z; ++z) {
    const IndexRange valid = region_.valid_x(box.begin.z + z);
    const std::int64_t begin = std::clamp<std::int64_t>(valid.begin - box.begin.x, 0, size.x);
    const std::int64_t end = std::clamp<std::int64_t>(valid.end - box.begin.x, begin, size.x);
    for (std::int64_t y = 0; y < size.y; ++y) {
      const std::uint16_t* from = voxels.row(y, z);
      float* to = out.row(y, z);
      std::fill(to, to + begin, kNothing);
      for (std::int64_t x = begin; x < end; ++x) to[x] = static_cast<float>(from[x]);
      std::fill(to + end, to + size.x, kNothing);
    }
  }
}

}  // namespace spim
