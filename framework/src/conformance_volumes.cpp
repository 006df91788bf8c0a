#include "conformance_volumes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "conformance_suite.hpp"

namespace spim {
namespace {

/// A part of [begin, end) that depends on `seed` alone.
void pick(std::int64_t& begin, std::int64_t& end, std::uint64_t seed) {
  const auto length = static_cast<std::uint64_t>(end - begin);
  const std::uint64_t first = scramble(seed) % length;
  const std::uint64_t size = 1 + scramble(seed + 1) % (length - first);
  begin += static_cast<std::int64_t>(first);
  end = begin + static_cast<std::int64_t>(size);
}

}  // namespace

std::vector<std::uint16_t> read_box(VolumeReader& reader, std::int32_t level, const Box& box) {
  constexpr std::int64_t kPadding = 3;
  constexpr std::uint16_t kSentinel = 0xA5C3;
  const Index3 size = box.size();
  const std::int64_t stride_y = size.x + kPadding;
  const std::int64_t stride_z = stride_y * (size.y + 1);
  std::vector<std::uint16_t> padded(static_cast<std::size_t>(stride_z * size.z), kSentinel);
  const VolumeView<std::uint16_t> view{padded.data(), size, stride_y, stride_z};
  reader.read(level, box, view);
  std::vector<std::uint16_t> result;
  result.reserve(static_cast<std::size_t>(count(size)));
  for (std::int64_t z = 0; z < size.z; ++z)
    for (std::int64_t y = 0; y <= size.y; ++y) {
      const std::uint16_t* row = view.row(y, z);
      const std::int64_t valid = y < size.y ? size.x : 0;  // behind the last row comes one of padding
      result.insert(result.end(), row, row + valid);
      if (std::any_of(row + valid, row + stride_y, [](std::uint16_t v) { return v != kSentinel; }))
        throw Error("reading a box writes outside the view; respect stride_y and stride_z");
    }
  return result;
}

std::vector<Box> some_boxes(const Box& whole) {
  constexpr std::uint64_t kRandomBoxes = 20;
  const Index3 last = whole.end - Index3{1, 1, 1};
  std::vector<Box> boxes = {whole, {whole.begin, whole.begin + Index3{1, 1, 1}}, {last, whole.end}};
  boxes.push_back({{whole.begin.x, last.y, last.z}, whole.end});
  boxes.push_back({{whole.begin.x, whole.begin.y, last.z}, whole.end});
  for (std::uint64_t i = 0; i < kRandomBoxes; ++i) {
    Box box = whole;
    pick(box.begin.x, box.end.x, 10 * i);
    pick(box.begin.y, box.end.y, 10 * i + 3);
    pick(box.begin.z, box.end.z, 10 * i + 6);
    boxes.push_back(box);
  }
  return boxes;
}

void expect_part(const std::vector<std::uint16_t>& voxels, const Box& part,
                 const std::vector<std::uint16_t>& whole, const Box& whole_box) {
  const Index3 size = part.size(), outer = whole_box.size(), offset = part.begin - whole_box.begin;
  for (std::int64_t z = 0; z < size.z; ++z)
    for (std::int64_t y = 0; y < size.y; ++y) {
      const auto row = voxels.begin() + (z * size.y + y) * size.x;
      const auto expected = whole.begin() + ((z + offset.z) * outer.y + y + offset.y) * outer.x + offset.x;
      const auto wrong = std::mismatch(row, row + size.x, expected).first;
      if (wrong != row + size.x) {
        const std::int64_t x = part.begin.x + (wrong - row);
        throw Error(fmt::format("voxel ({},{},{}) is {}, expected {}", x, part.begin.y + y, part.begin.z + z,
                                *wrong, *(expected + (wrong - row))));
      }
    }
}

namespace {

/// Voxel of the test pattern, never zero outside the chunks that are to be zero.
std::uint16_t voxel(const VolumeSpec& spec, std::int32_t level, Index3 p) {
  const auto value = scramble(static_cast<std::uint64_t>(p.x + 1000 * p.y + 1000000 * p.z) ^
                              (static_cast<std::uint64_t>(level) << 40));
  return static_cast<std::uint16_t>(1 + value % (spec.type == PixelType::u8 ? 255 : 65535));
}

}  // namespace

VolumeSpec spec_of(Index3 shape, Index3 chunk, std::int32_t levels) {
  VolumeSpec spec;
  spec.shape = shape;
  spec.chunk = chunk;
  spec.levels = levels;
  spec.voxel_um = {1.5, 2.25, 0.75};
  spec.origin_um = {100.5, -20, 0.25};
  spec.name = "conformance";
  return spec;
}

bool is_zero(const ChunkAddress& chunk) {
  return (chunk.index.x + chunk.index.y + chunk.index.z + chunk.level) % 3 == 2;
}

Box box_of(const VolumeSpec& spec, const ChunkAddress& chunk) {
  const Index3 shape = level_shape(spec.shape, chunk.level);
  const Index3 begin{chunk.index.x * spec.chunk.x, chunk.index.y * spec.chunk.y,
                     chunk.index.z * spec.chunk.z};
  return {begin, min(shape, begin + spec.chunk)};
}

std::vector<std::uint16_t> voxels_of(const VolumeSpec& spec, const ChunkAddress& chunk) {
  const Box box = box_of(spec, chunk);
  std::vector<std::uint16_t> voxels;
  voxels.reserve(static_cast<std::size_t>(count(box.size())));
  for (std::int64_t z = box.begin.z; z < box.end.z; ++z)
    for (std::int64_t y = box.begin.y; y < box.end.y; ++y)
      for (std::int64_t x = box.begin.x; x < box.end.x; ++x)
        voxels.push_back(is_zero(chunk) ? 0 : voxel(spec, chunk.level, {x, y, z}));
  return voxels;
}

std::vector<ChunkAddress> chunks_of(const VolumeSpec& spec) {
  std::vector<ChunkAddress> chunks;
  for (std::int32_t level = 0; level < spec.levels; ++level) {
    const Index3 grid = ceil_div(level_shape(spec.shape, level), spec.chunk);
    for (std::int64_t z = 0; z < grid.z; ++z)
      for (std::int64_t y = 0; y < grid.y; ++y)
        for (std::int64_t x = 0; x < grid.x; ++x) chunks.push_back({level, {x, y, z}});
  }
  for (std::size_t i = chunks.size(); i > 1; --i) std::swap(chunks[i - 1], chunks[scramble(i) % i]);
  return chunks;
}

}  // namespace spim
