#pragma once
/// Borrowed views of pixels. Everything here is plain data and may cross the plugin boundary.

#include <cstddef>
#include <cstdint>

#include "spim/geometry.hpp"

namespace spim {

/// Type of the samples in a file. Inside the program samples are uint16 (a uint8 file is widened); between
/// correction steps they are float32.
enum class PixelType : std::uint32_t { u8 = 1, u16 = 2 };

/// Bytes of one sample of `type`.
constexpr std::int64_t bytes_of(PixelType type) noexcept {
  return type == PixelType::u8 ? 1 : 2;
}

/// Rows by columns of samples, owned by somebody else. Columns are contiguous; `row_stride` counts samples.
template <class T>
struct ImageView {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t row_stride = 0;

  T* row(std::int64_t i) const noexcept { return data + i * row_stride; }
};

/// A volume of `size` voxels, owned by somebody else. x is contiguous; strides count samples; index order
/// z,y,x.
template <class T>
struct VolumeView {
  T* data = nullptr;
  Index3 size;
  std::int64_t stride_y = 0;
  std::int64_t stride_z = 0;

  T* row(std::int64_t y, std::int64_t z) const noexcept { return data + y * stride_y + z * stride_z; }
  bool dense() const noexcept { return stride_y == size.x && stride_z == size.x * size.y; }
};

/// View of a dense buffer of `size` voxels.
template <class T>
constexpr VolumeView<T> dense_view(T* data, Index3 size) noexcept {
  return {data, size, size.x, size.x * size.y};
}

/// The same voxels, read-only.
template <class T>
constexpr VolumeView<const T> as_const(VolumeView<T> v) noexcept {
  return {v.data, v.size, v.stride_y, v.stride_z};
}

}  // namespace spim
