#include "reverse_rows.hpp"

#include <immintrin.h>

#include <algorithm>
#include <utility>

namespace spim::detail {

namespace {

__m128i reversed(__m128i samples) {
  return _mm_shuffle_epi8(samples, _mm_set_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
}

__m128i load(const std::uint16_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

void store(std::uint16_t* p, __m128i samples) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), samples);
}

/// a[i] and b[n−1−i] change places. a and b do not overlap.
void swap_reversed(std::uint16_t* a, std::uint16_t* b, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m128i front = load(a + i), back = load(b + n - 8 - i);
    store(a + i, reversed(back));
    store(b + n - 8 - i, reversed(front));
  }
  for (; i < n; ++i) std::swap(a[i], b[n - 1 - i]);
}

void reverse(std::uint16_t* row, std::int64_t n) {
  const std::int64_t half = n / 2;
  swap_reversed(row, row + n - half, half);
}

}  // namespace

void reverse_order_of_rows(ImageView<std::uint16_t> image) noexcept {
  for (std::int64_t i = 0, k = image.rows - 1; i < k; ++i, --k)
    std::swap_ranges(image.row(i), image.row(i) + image.columns, image.row(k));
}

void reverse_each_row(ImageView<std::uint16_t> image) noexcept {
  for (std::int64_t i = 0; i < image.rows; ++i) reverse(image.row(i), image.columns);
}

void turn_around(ImageView<std::uint16_t> image) noexcept {
  for (std::int64_t i = 0, k = image.rows - 1; i < k; ++i, --k)
    swap_reversed(image.row(i), image.row(k), image.columns);
  if (image.rows % 2 != 0) reverse(image.row(image.rows / 2), image.columns);
}

}  // namespace spim::detail
