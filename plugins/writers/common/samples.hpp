#pragma once
/// Between the uint16 voxels of the program and the bytes of a stored chunk.

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/scratch.hpp"
#include "spim/geometry.hpp"
#include "spim/image.hpp"

namespace spim::chunked {

/// How samples lie in a decoded chunk. A negative number would need a wider type and is no camera's.
enum class SampleFormat { u8, u16_little, u16_big };

constexpr std::int64_t bytes_of(SampleFormat format) noexcept {
  return format == SampleFormat::u8 ? 1 : 2;
}
constexpr PixelType pixel_type(SampleFormat format) noexcept {
  return format == SampleFormat::u8 ? PixelType::u8 : PixelType::u16;
}

/// A decoded chunk: dense, index order z,y,x, over the voxels of `extent` (edge padding included).
struct DecodedChunk {
  const std::byte* bytes = nullptr;
  Box extent;
  SampleFormat format = SampleFormat::u16_little;
};

/// Copies the voxels that `chunk` and `box` share into `out`, which covers `box`; uint8 is widened.
void copy_samples(const DecodedChunk& chunk, const Box& box, VolumeView<std::uint16_t> out);

/// Sets the voxels that `extent` and `box` share to `value` in `out`, which covers `box`.
void fill_samples(std::uint16_t value, const Box& extent, const Box& box, VolumeView<std::uint16_t> out);

/// True when every voxel is zero; stops at the first that is not.
bool all_zero(VolumeView<const std::uint16_t> voxels);

/// The voxels as bytes of `type`, dense, in a buffer of `padded` voxels (zeros behind the end of each axis).
/// Points into `voxels` itself when nothing has to change, else into `scratch`. Throws Error for a value
/// above 255 when `type` is uint8.
std::span<const std::byte> gather_samples(VolumeView<const std::uint16_t> voxels, PixelType type,
                                          Index3 padded, Scratch& scratch);

}  // namespace spim::chunked
