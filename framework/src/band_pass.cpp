#include "band_pass.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace spim::detail {

namespace {

std::vector<float> kernel_of(double sigma) {
  const auto radius = static_cast<std::int64_t>(std::ceil(3 * sigma));
  std::vector<float> kernel;
  for (std::int64_t i = -radius; i <= radius; ++i) {
    const double d = static_cast<double>(i) / sigma;
    kernel.push_back(static_cast<float>(std::exp(-0.5 * d * d)));
  }
  return kernel;
}

/// Convolves along one axis, `stride` voxels between neighbours; nothing is known outside.
void convolve(std::vector<float>& v, std::int64_t length, std::int64_t stride,
              const std::vector<float>& kernel) {
  const auto radius = static_cast<std::int64_t>(kernel.size() / 2);
  std::vector<float> line(static_cast<std::size_t>(length));
  const auto total = static_cast<std::int64_t>(v.size());
  for (std::int64_t start = 0; start < total; ++start) {
    if (start / stride % length != 0) continue;
    for (std::int64_t i = 0; i < length; ++i)
      line[static_cast<std::size_t>(i)] = v[static_cast<std::size_t>(start + i * stride)];
    for (std::int64_t i = 0; i < length; ++i) {
      const std::int64_t from = std::max<std::int64_t>(0, i - radius), to = std::min(length - 1, i + radius);
      float sum = 0;
      for (std::int64_t j = from; j <= to; ++j)
        sum += line[static_cast<std::size_t>(j)] * kernel[static_cast<std::size_t>(j - i + radius)];
      v[static_cast<std::size_t>(start + i * stride)] = sum;
    }
  }
}

void blur(std::vector<float>& v, Index3 size, const std::vector<float>& kernel) {
  convolve(v, size.x, 1, kernel);
  convolve(v, size.y, size.x, kernel);
  convolve(v, size.z, size.x * size.y, kernel);
}

}  // namespace

MaskedVolume::MaskedVolume(Index3 shape, const std::vector<float>& voxels)
    : size(shape), values(voxels), known(voxels.size(), 1) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isnan(values[i])) values[i] = known[i] = 0;
}

std::vector<float> smoothed(const MaskedVolume& volume, double sigma) {
  const std::vector<float> kernel = kernel_of(sigma);
  std::vector<float> sum = volume.values, weight = volume.known;
  blur(sum, volume.size, kernel);
  blur(weight, volume.size, kernel);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = volume.known[i] > 0 ? sum[i] / weight[i] : 0;
  return sum;
}

}  // namespace spim::detail
