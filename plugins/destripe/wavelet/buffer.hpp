#pragma once
/// Memory of the wavelet destriper: aligned, with room for kernels to run over the end of a row.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "kernels.hpp"

namespace spim::wavelet {

constexpr std::int64_t padded(std::int64_t samples) noexcept {
  return (samples + kBlock - 1) / kBlock * kBlock;
}

/// Zeroed float32 samples, aligned to 64 bytes.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t samples) {
    const auto bytes = static_cast<std::size_t>(padded(samples + 1)) * sizeof(float);
    data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
    if (!data_) throw std::bad_alloc();
    std::fill_n(data_.get(), bytes / sizeof(float), 0.0F);
  }
  float* get() const noexcept { return data_.get(); }

 private:
  struct Free {
    void operator()(float* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
};

/// Rows of samples, each padded to whole blocks.
class Plane {
 public:
  Plane() = default;
  Plane(std::int64_t rows, std::int64_t columns)
      : rows_(rows), columns_(columns), stride_(padded(columns)), data_(rows * stride_) {}

  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return columns_; }
  float* row(std::int64_t i) const noexcept { return data_.get() + i * stride_; }

 private:
  std::int64_t rows_ = 0, columns_ = 0, stride_ = 0;
  Buffer data_;
};

/// Where sample i of a signal of n samples is that is mirrored at both ends, the last sample repeated.
constexpr std::int64_t mirrored(std::int64_t i, std::int64_t n) noexcept {
  const std::int64_t period = 2 * n;
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - 1 - i;
}

}  // namespace spim::wavelet
