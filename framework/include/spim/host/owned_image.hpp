#pragma once
/// An image that owns its samples.

#include <cstdint>
#include <vector>

#include "spim/image.hpp"

namespace spim {

/// Rows by columns of samples without gaps between the rows.
template <class T>
struct OwnedImage {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<T> samples = {};

  OwnedImage() = default;
  /// All zero. The caller has made sure that rows · columns does not overflow.
  OwnedImage(std::int64_t row_count, std::int64_t column_count)
      : rows(row_count), columns(column_count), samples(static_cast<std::size_t>(row_count * column_count)) {}

  ImageView<T> view() noexcept { return {samples.data(), rows, columns, columns}; }
  ImageView<const T> view() const noexcept { return {samples.data(), rows, columns, columns}; }
};

}  // namespace spim
