#include "common/samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "spim/error.hpp"

namespace spim::chunked {

static_assert(std::endian::native == std::endian::little);

namespace {

void copy_row(const std::byte* from, SampleFormat format, std::uint16_t* to, std::int64_t n) {
  switch (format) {
    case SampleFormat::u16_little:
      std::memcpy(to, from, static_cast<std::size_t>(n) * 2);
      break;
    case SampleFormat::u16_big:
      for (std::int64_t i = 0; i < n; ++i)
        to[i] = static_cast<std::uint16_t>(std::to_integer<unsigned>(from[2 * i]) << 8 |
                                           std::to_integer<unsigned>(from[2 * i + 1]));
      break;
    case SampleFormat::u8:
      for (std::int64_t i = 0; i < n; ++i) to[i] = std::to_integer<std::uint16_t>(from[i]);
      break;
  }
}

void narrow_row(const std::uint16_t* from, std::byte* to, std::int64_t n) {
  unsigned seen = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    seen |= from[i];
    to[i] = static_cast<std::byte>(from[i]);
  }
  if (seen > 255)
    throw Error(fmt::format("a voxel of a uint8 volume is {}; the largest value is 255",
                            *std::max_element(from, from + n)));
}

}  // namespace

void copy_samples(const DecodedChunk& chunk, const Box& box, VolumeView<std::uint16_t> out) {
  const Box shared = intersect(chunk.extent, box);
  if (shared.empty()) return;
  const Index3 size = chunk.extent.size();
  const Index3 from = shared.begin - chunk.extent.begin;
  const Index3 to = shared.begin - box.begin;
  const Index3 n = shared.size();
  for (std::int64_t z = 0; z < n.z; ++z)
    for (std::int64_t y = 0; y < n.y; ++y) {
      const std::int64_t at = ((from.z + z) * size.y + from.y + y) * size.x + from.x;
      copy_row(chunk.bytes + at * bytes_of(chunk.format), chunk.format, out.row(to.y + y, to.z + z) + to.x,
               n.x);
    }
}

void fill_samples(std::uint16_t value, const Box& extent, const Box& box, VolumeView<std::uint16_t> out) {
  const Box shared = intersect(extent, box);
  if (shared.empty()) return;
  const Index3 to = shared.begin - box.begin;
  const Index3 n = shared.size();
  for (std::int64_t z = 0; z < n.z; ++z)
    for (std::int64_t y = 0; y < n.y; ++y) std::fill_n(out.row(to.y + y, to.z + z) + to.x, n.x, value);
}

bool all_zero(VolumeView<const std::uint16_t> voxels) {
  for (std::int64_t z = 0; z < voxels.size.z; ++z)
    for (std::int64_t y = 0; y < voxels.size.y; ++y) {
      const std::uint16_t* row = voxels.row(y, z);
      unsigned seen = 0;
      for (std::int64_t x = 0; x < voxels.size.x; ++x) seen |= row[x];
      if (seen != 0) return false;
    }
  return true;
}

std::span<const std::byte> gather_samples(VolumeView<const std::uint16_t> voxels, PixelType type,
                                          Index3 padded, Scratch& scratch) {
  const std::int64_t item = spim::bytes_of(type);
  const auto total = static_cast<std::size_t>(count(padded) * item);
  if (type == PixelType::u16 && voxels.size == padded && voxels.dense())
    return {reinterpret_cast<const std::byte*>(voxels.data), total};
  std::byte* to = scratch.bytes(total);
  if (voxels.size != padded) std::memset(to, 0, total);
  for (std::int64_t z = 0; z < voxels.size.z; ++z)
    for (std::int64_t y = 0; y < voxels.size.y; ++y) {
      std::byte* row = to + (z * padded.y + y) * padded.x * item;
      if (type == PixelType::u8)
        narrow_row(voxels.row(y, z), row, voxels.size.x);
      else
        std::memcpy(row, voxels.row(y, z), static_cast<std::size_t>(voxels.size.x) * 2);
    }
  return {to, total};
}

}  // namespace spim::chunked
