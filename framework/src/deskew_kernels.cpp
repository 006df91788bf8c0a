#include "deskew_kernels.hpp"

#include <immintrin.h>

#include <cmath>

namespace spim::detail {

namespace {

constexpr std::size_t kLine = 64 / sizeof(std::uint16_t);  ///< samples of a cache line

void fetch_ahead(const RowList& in, std::size_t row) {
  if (in.ahead == 0) return;
  const std::uint16_t* p = in.rows[row];
  for (std::size_t j = 0; j < in.columns; j += kLine)
    __builtin_prefetch(
        reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(p) + 2 * (in.ahead + j)), 0, 3);
}

/// The part that does not fill whole blocks: rows from first_row, or columns from first_column.
struct Rest {
  std::size_t first_row, last_row, first_column;
};

void transpose_rest(const RowList& in, const Rest& rest, std::uint16_t* out, std::ptrdiff_t out_stride) {
  for (std::size_t j = rest.first_column; j < in.columns; ++j)
    for (std::size_t i = rest.first_row; i < rest.last_row; ++i)
      out[static_cast<std::ptrdiff_t>(j) * out_stride + static_cast<std::ptrdiff_t>(i)] = in.rows[i][j];
}

const __m128i* block128(const std::uint16_t* p) {
  return reinterpret_cast<const __m128i*>(p);
}

/// Eight rows by eight columns in three rounds of interleaving: 16, 32, then 64 bits wide.
inline void transpose_8x8(const std::uint16_t* const* rows, std::size_t column, std::uint16_t* out,
                          std::ptrdiff_t out_stride) {
  __m128i r[8], a[8], b[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm_loadu_si128(block128(rows[i] + column));
  for (int i = 0; i < 4; ++i) {
    a[2 * i] = _mm_unpacklo_epi16(r[2 * i], r[2 * i + 1]);
    a[2 * i + 1] = _mm_unpackhi_epi16(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 2; ++k) {
      b[4 * i + 2 * k] = _mm_unpacklo_epi32(a[4 * i + k], a[4 * i + 2 + k]);
      b[4 * i + 2 * k + 1] = _mm_unpackhi_epi32(a[4 * i + k], a[4 * i + 2 + k]);
    }
  for (int k = 0; k < 4; ++k) {
    const __m128i low = _mm_unpacklo_epi64(b[k], b[4 + k]), high = _mm_unpackhi_epi64(b[k], b[4 + k]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * k * out_stride), low);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + (2 * k + 1) * out_stride), high);
  }
}

void transpose_baseline(const RowList& in, std::uint16_t* out, std::ptrdiff_t out_stride) {
  const std::size_t whole_rows = in.count / 8 * 8, whole_columns = in.columns / 8 * 8;
  for (std::size_t i = 0; i < whole_rows; i += 8) {
    for (std::size_t k = 0; k < 8; ++k) fetch_ahead(in, i + k);
    for (std::size_t j = 0; j < whole_columns; j += 8)
      transpose_8x8(in.rows + i, j, out + static_cast<std::ptrdiff_t>(j) * out_stride + i, out_stride);
  }
  transpose_rest(in, {0, whole_rows, whole_columns}, out, out_stride);
  transpose_rest(in, {whole_rows, in.count, 0}, out, out_stride);
}

/// Two 8×8 blocks in the two halves of each register: sixteen rows by eight columns.
__attribute__((target("avx2"))) inline void transpose_16x8(const std::uint16_t* const* rows,
                                                           std::size_t column, std::uint16_t* out,
                                                           std::ptrdiff_t out_stride) {
  __m256i r[8], a[8], b[8];
  for (int i = 0; i < 8; ++i)
    r[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(block128(rows[i] + column))),
                                   _mm_loadu_si128(block128(rows[i + 8] + column)), 1);
  for (int i = 0; i < 4; ++i) {
    a[2 * i] = _mm256_unpacklo_epi16(r[2 * i], r[2 * i + 1]);
    a[2 * i + 1] = _mm256_unpackhi_epi16(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 2; ++k) {
      b[4 * i + 2 * k] = _mm256_unpacklo_epi32(a[4 * i + k], a[4 * i + 2 + k]);
      b[4 * i + 2 * k + 1] = _mm256_unpackhi_epi32(a[4 * i + k], a[4 * i + 2 + k]);
    }
  for (int k = 0; k < 4; ++k) {
    const __m256i low = _mm256_unpacklo_epi64(b[k], b[4 + k]), high = _mm256_unpackhi_epi64(b[k], b[4 + k]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 2 * k * out_stride), low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (2 * k + 1) * out_stride), high);
  }
}

__attribute__((target("avx2"))) void transpose_avx2(const RowList& in, std::uint16_t* out,
                                                    std::ptrdiff_t out_stride) {
  const std::size_t whole_rows = in.count / 16 * 16, whole_columns = in.columns / 8 * 8;
  for (std::size_t i = 0; i < whole_rows; i += 16) {
    for (std::size_t k = 0; k < 16; ++k) fetch_ahead(in, i + k);
    for (std::size_t j = 0; j < whole_columns; j += 8)
      transpose_16x8(in.rows + i, j, out + static_cast<std::ptrdiff_t>(j) * out_stride + i, out_stride);
  }
  transpose_rest(in, {0, whole_rows, whole_columns}, out, out_stride);
  if (whole_rows < in.count)
    transpose_baseline({in.rows + whole_rows, in.count - whole_rows, in.columns, in.ahead}, out + whole_rows,
                       out_stride);
}

/// The columns that do not fill a register, in the same arithmetic as the others.
void interpolate_rest(const RowList& in, std::size_t first_column, float weight, std::uint16_t* out,
                      std::ptrdiff_t out_stride) {
  for (std::size_t i = 0; i < in.count; ++i)
    for (std::size_t j = first_column; j < in.columns; ++j) {
      const float below = in.rows[i][j], above = in.rows[i + 1][j];
      const float step = weight * (above - below);
      out[static_cast<std::ptrdiff_t>(i) * out_stride + static_cast<std::ptrdiff_t>(j)] =
          static_cast<std::uint16_t>(std::nearbyint(below + step));
    }
}

/// Runs down the frames with eight columns at a time, so that each sample is converted to float once.
void interpolate_baseline(const RowList& in, float weight, std::uint16_t* out, std::ptrdiff_t out_stride) {
  const std::size_t whole_columns = in.columns / 8 * 8;
  const __m128 w = _mm_set1_ps(weight);
  for (std::size_t j = 0; j < whole_columns; j += 8) {
    const __m128i first = _mm_loadu_si128(block128(in.rows[0] + j));
    __m128 low = _mm_cvtepi32_ps(_mm_cvtepu16_epi32(first));
    __m128 high = _mm_cvtepi32_ps(_mm_cvtepu16_epi32(_mm_srli_si128(first, 8)));
    for (std::size_t i = 0; i < in.count; ++i) {
      if (j == 0) fetch_ahead(in, i);
      const __m128i next = _mm_loadu_si128(block128(in.rows[i + 1] + j));
      const __m128 next_low = _mm_cvtepi32_ps(_mm_cvtepu16_epi32(next));
      const __m128 next_high = _mm_cvtepi32_ps(_mm_cvtepu16_epi32(_mm_srli_si128(next, 8)));
      const __m128 mixed_low = _mm_add_ps(low, _mm_mul_ps(w, _mm_sub_ps(next_low, low)));
      const __m128 mixed_high = _mm_add_ps(high, _mm_mul_ps(w, _mm_sub_ps(next_high, high)));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + static_cast<std::ptrdiff_t>(i) * out_stride + j),
                       _mm_packus_epi32(_mm_cvtps_epi32(mixed_low), _mm_cvtps_epi32(mixed_high)));
      low = next_low;
      high = next_high;
    }
  }
  interpolate_rest(in, whole_columns, weight, out, out_stride);
}

__attribute__((target("avx2"))) inline __m256 to_float(const std::uint16_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(block128(p))));
}

/// Multiplication and addition stay apart (AVX2 does not imply FMA), so that the bits equal the baseline's.
__attribute__((target("avx2"))) void interpolate_avx2(const RowList& in, float weight, std::uint16_t* out,
                                                      std::ptrdiff_t out_stride) {
  const std::size_t whole_columns = in.columns / 16 * 16;
  const __m256 w = _mm256_set1_ps(weight);
  for (std::size_t j = 0; j < whole_columns; j += 16) {
    __m256 low = to_float(in.rows[0] + j), high = to_float(in.rows[0] + j + 8);
    for (std::size_t i = 0; i < in.count; ++i) {
      if (j == 0) fetch_ahead(in, i);
      const __m256 next_low = to_float(in.rows[i + 1] + j), next_high = to_float(in.rows[i + 1] + j + 8);
      const __m256 mixed_low = _mm256_add_ps(low, _mm256_mul_ps(w, _mm256_sub_ps(next_low, low)));
      const __m256 mixed_high = _mm256_add_ps(high, _mm256_mul_ps(w, _mm256_sub_ps(next_high, high)));
      const __m256i packed =
          _mm256_packus_epi32(_mm256_cvtps_epi32(mixed_low), _mm256_cvtps_epi32(mixed_high));
      // packus works within 128-bit halves: put its quarters 0 2 1 3 in order.
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + static_cast<std::ptrdiff_t>(i) * out_stride + j),
                          _mm256_permute4x64_epi64(packed, 0xD8));
      low = next_low;
      high = next_high;
    }
  }
  interpolate_rest(in, whole_columns, weight, out, out_stride);
}

}  // namespace

constinit const DeskewKernels kBaselineKernels{transpose_baseline, interpolate_baseline, "baseline"};
constinit const DeskewKernels kAvx2Kernels{transpose_avx2, interpolate_avx2, "avx2"};

const DeskewKernels& deskew_kernels() noexcept {
  return __builtin_cpu_supports("avx2") ? kAvx2Kernels : kBaselineKernels;
}

}  // namespace spim::detail
