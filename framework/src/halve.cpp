#include "halve.hpp"

#include <cstring>

#include "spim/clones.hpp"

namespace spim::detail {

namespace {

/// Rows a … d lie at the two y and the two z. A row that does not exist is replaced by its neighbour: counted
/// twice, it leaves mean and rounding as they are.
SPIM_CLONES void halve_rows(const std::uint16_t* a, const std::uint16_t* b, const std::uint16_t* c,
                            const std::uint16_t* d, std::int64_t count, std::uint16_t* __restrict out) {
  const std::int64_t pairs = count / 2;
  const auto pair_sum = [](const std::uint16_t* at) {
    std::uint32_t pair = 0;
    std::memcpy(&pair, at, sizeof(pair));
    return (pair & 0xffff) + (pair >> 16);
  };
  for (std::int64_t i = 0; i < pairs; ++i) {
    const std::uint32_t sum =
        pair_sum(a + 2 * i) + pair_sum(b + 2 * i) + pair_sum(c + 2 * i) + pair_sum(d + 2 * i);
    out[i] = static_cast<std::uint16_t>((sum + 4) >> 3);
  }
  if (count % 2 != 0) {
    const std::int64_t last = count - 1;
    const std::uint32_t sum = std::uint32_t{a[last]} + b[last] + c[last] + d[last];
    out[pairs] = static_cast<std::uint16_t>((sum + 2) >> 2);
  }
}

SPIM_CLONES bool row_is_zero(const std::uint16_t* row, std::int64_t count) {
  std::uint32_t any = 0;
  for (std::int64_t i = 0; i < count; ++i) any |= row[i];
  return any == 0;
}

}  // namespace

void halve(VolumeView<const std::uint16_t> in, VolumeView<std::uint16_t> out) noexcept {
  for (std::int64_t z = 0; z < out.size.z; ++z) {
    const std::int64_t z1 = 2 * z + (2 * z + 1 < in.size.z);
    for (std::int64_t y = 0; y < out.size.y; ++y) {
      const std::int64_t y1 = 2 * y + (2 * y + 1 < in.size.y);
      halve_rows(in.row(2 * y, 2 * z), in.row(y1, 2 * z), in.row(2 * y, z1), in.row(y1, z1), in.size.x,
                 out.row(y, z));
    }
  }
}

void add_to_sums(VolumeView<const std::uint16_t> in, Index3 first, VolumeView<std::uint32_t> sums) noexcept {
  for (std::int64_t z = 0; z < in.size.z; ++z)
    for (std::int64_t y = 0; y < in.size.y; ++y) {
      const std::uint16_t* row = in.row(y, z);
      std::uint32_t* sum = sums.row((first.y + y) / 2, (first.z + z) / 2);
      for (std::int64_t x = 0; x < in.size.x; ++x) sum[(first.x + x) / 2] += row[x];
    }
}

void divide_sums(VolumeView<const std::uint32_t> sums, Index3 children,
                 VolumeView<std::uint16_t> out) noexcept {
  for (std::int64_t z = 0; z < out.size.z; ++z)
    for (std::int64_t y = 0; y < out.size.y; ++y) {
      const unsigned across = (2 * z + 1 < children.z) + (2 * y + 1 < children.y);
      for (std::int64_t x = 0; x < out.size.x; ++x) {
        const unsigned doublings = across + (2 * x + 1 < children.x);
        const std::uint32_t half = (1u << doublings) >> 1;
        out.row(y, z)[x] = static_cast<std::uint16_t>((sums.row(y, z)[x] + half) >> doublings);
      }
    }
}

bool all_zero(VolumeView<const std::uint16_t> voxels) noexcept {
  for (std::int64_t z = 0; z < voxels.size.z; ++z)
    for (std::int64_t y = 0; y < voxels.size.y; ++y)
      if (!row_is_zero(voxels.row(y, z), voxels.size.x)) return false;
  return true;
}

}  // namespace spim::detail
