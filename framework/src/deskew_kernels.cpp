#include "deskew_kernels.hpp"

#include <immintrin.h>

#include <algorithm>

namespace spim::detail {

namespace {

// Frames are far apart in memory, beyond what the processor foresees, so the next plane is fetched by hand. A
// burst of prefetches is dropped when the buffers for misses are full: they are spread over the work on this
// plane.

// Always inlined: g++ takes a function that only prefetches for one without effect and drops its calls.
__attribute__((always_inline)) inline void fetch(const std::uint16_t* row, std::ptrdiff_t ahead) {
  const std::uintptr_t wanted =
      reinterpret_cast<std::uintptr_t>(row) + 2 * static_cast<std::uintptr_t>(ahead);
  __builtin_prefetch(reinterpret_cast<const void*>(wanted));
}

/// To be called for each block of eight columns: fetches an eighth of the rows of a tile of 64 columns.
template <std::size_t kBlockRows>
__attribute__((always_inline)) inline void fetch_share(const RowList& in, std::size_t row,
                                                       std::size_t column) {
  if (in.ahead == 0) return;
  constexpr std::size_t kShare = kBlockRows / 8;
  const std::size_t first = row + column / 8 % 8 * kShare;
  for (std::size_t i = first; i < first + kShare; ++i) {
    fetch(in.rows[i], in.ahead);
    fetch(in.rows[i], in.ahead + 32);
  }
}

const __m128i* block128(const std::uint16_t* p) {
  return reinterpret_cast<const __m128i*>(p);
}

/// Eight rows by eight columns in three rounds of interleaving: 16, 32, then 64 bits wide.
__attribute__((always_inline)) inline void transpose_8x8(const std::uint16_t* const* rows, std::size_t column,
                                                         std::uint16_t* out, std::ptrdiff_t out_stride) {
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

// The last block of a row or column that is not a multiple of its size overlaps the one before: the voxels in
// common are written twice with the same values.

void transpose_baseline(const RowList& in, std::uint16_t* out, std::ptrdiff_t out_stride) {
  if (in.count < 8 || in.columns < 8) {
    for (std::size_t j = 0; j < in.columns; ++j)
      for (std::size_t i = 0; i < in.count; ++i)
        out[static_cast<std::ptrdiff_t>(j) * out_stride + static_cast<std::ptrdiff_t>(i)] = in.rows[i][j];
    return;
  }
  for (std::size_t block = 0; block < in.count; block += 8) {
    const std::size_t i = std::min(block, in.count - 8);
    for (std::size_t column = 0; column < in.columns; column += 8) {
      const std::size_t j = std::min(column, in.columns - 8);
      fetch_share<8>(in, i, j);
      transpose_8x8(in.rows + i, j, out + static_cast<std::ptrdiff_t>(j) * out_stride + i, out_stride);
    }
  }
}

/// Two 8×8 blocks in the two halves of each register: sixteen rows by eight columns.
__attribute__((target("avx2"), always_inline)) inline void transpose_16x8(const std::uint16_t* const* rows,
                                                                          std::size_t column,
                                                                          std::uint16_t* out,
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
  if (in.count < 16 || in.columns < 8) return transpose_baseline(in, out, out_stride);
  for (std::size_t block = 0; block < in.count; block += 16) {
    const std::size_t i = std::min(block, in.count - 16);
    for (std::size_t column = 0; column < in.columns; column += 8) {
      const std::size_t j = std::min(column, in.columns - 8);
      fetch_share<16>(in, i, j);
      transpose_16x8(in.rows + i, j, out + static_cast<std::ptrdiff_t>(j) * out_stride + i, out_stride);
    }
  }
}

// Interpolation works on samples as floats from 2^23 on, where the unit is 1: setting the exponent's bits
// makes one of a sample, the difference of two is that of the samples, and a sum is rounded to a whole grey
// level (ties to even), which its lower 16 bits are. Multiplication and addition stay apart (x86-64-v2 and
// AVX2 do not imply FMA), so that all variants give the same bits.
constexpr std::int32_t kExponent = 0x4B000000;
constexpr float kUnit = 8388608;  // 2^23

void interpolate_few(const RowList& in, float weight, std::uint16_t* out, std::ptrdiff_t out_stride) {
  for (std::size_t i = 0; i < in.count; ++i)
    for (std::size_t j = 0; j < in.columns; ++j) {
      const float below = kUnit + in.rows[i][j], above = kUnit + in.rows[i + 1][j];
      const float step = weight * (above - below);
      const float sum = below + step;
      out[static_cast<std::ptrdiff_t>(i) * out_stride + static_cast<std::ptrdiff_t>(j)] =
          static_cast<std::uint16_t>(sum - kUnit);
    }
}

/// Eight samples, apart by the parity of their columns: that takes no shuffles.
struct Floats128 {
  __m128 even, odd;
};

inline Floats128 floats128(const std::uint16_t* p) {
  const __m128i samples = _mm_loadu_si128(block128(p)), exponent = _mm_set1_epi32(kExponent);
  return {_mm_castsi128_ps(_mm_blend_epi16(samples, exponent, 0xAA)),
          _mm_castsi128_ps(_mm_or_si128(_mm_srli_epi32(samples, 16), exponent))};
}

inline __m128i mixed(Floats128 below, Floats128 above, __m128 weight) {
  const __m128 even = _mm_add_ps(below.even, _mm_mul_ps(weight, _mm_sub_ps(above.even, below.even)));
  const __m128 odd = _mm_add_ps(below.odd, _mm_mul_ps(weight, _mm_sub_ps(above.odd, below.odd)));
  return _mm_blend_epi16(_mm_castps_si128(even), _mm_slli_epi32(_mm_castps_si128(odd), 16), 0xAA);
}

/// Runs down the frames a few columns at a time, so that each sample is made a float once.
void interpolate_baseline(const RowList& in, float weight, std::uint16_t* out, std::ptrdiff_t out_stride) {
  if (in.columns < 8) return interpolate_few(in, weight, out, out_stride);
  const __m128 w = _mm_set1_ps(weight);
  const std::ptrdiff_t ahead = in.ahead;
  for (std::size_t column = 0; column < in.columns; column += 8) {
    const std::size_t j = std::min(column, in.columns - 8);
    std::uint16_t* to = out + j;
    Floats128 below = floats128(in.rows[0] + j);
    for (std::size_t i = 0; i < in.count; ++i, to += out_stride) {
      if (ahead != 0 && (i + column / 8) % 4 == 0) fetch(in.rows[i], ahead + column / 32 * 32);
      const Floats128 above = floats128(in.rows[i + 1] + j);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), mixed(below, above, w));
      below = above;
    }
  }
}

struct Floats256 {
  __m256 even, odd;
};

__attribute__((target("avx2"), always_inline)) inline Floats256 floats256(const std::uint16_t* p) {
  const __m256i samples = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i exponent = _mm256_set1_epi32(kExponent);
  return {_mm256_castsi256_ps(_mm256_blend_epi16(samples, exponent, 0xAA)),
          _mm256_castsi256_ps(_mm256_or_si256(_mm256_srli_epi32(samples, 16), exponent))};
}

__attribute__((target("avx2"), always_inline)) inline __m256i mixed(const Floats256& below,
                                                                    const Floats256& above, __m256 weight) {
  const __m256 even = _mm256_add_ps(below.even, _mm256_mul_ps(weight, _mm256_sub_ps(above.even, below.even)));
  const __m256 odd = _mm256_add_ps(below.odd, _mm256_mul_ps(weight, _mm256_sub_ps(above.odd, below.odd)));
  return _mm256_blend_epi16(_mm256_castps_si256(even), _mm256_slli_epi32(_mm256_castps_si256(odd), 16), 0xAA);
}

/// kVectors·16 columns from column j on. Everything the loop needs is held apart from the lists, which the
/// stores might change for all the compiler knows.
template <int kVectors>
__attribute__((target("avx2"), always_inline)) inline void interpolate_strip(const RowList& in, std::size_t j,
                                                                             float weight, std::uint16_t* out,
                                                                             std::ptrdiff_t out_stride) {
  const std::uint16_t* const* const rows = in.rows;
  const std::size_t count = in.count;
  const std::ptrdiff_t ahead = in.ahead;
  const __m256 w = _mm256_set1_ps(weight);
  Floats256 below[kVectors];
  for (int k = 0; k < kVectors; ++k) below[k] = floats256(rows[0] + j + 16 * k);
  for (std::size_t i = 0; i < count; ++i, out += out_stride) {
    if (ahead != 0) fetch(rows[i] + j, ahead);
    for (int k = 0; k < kVectors; ++k) {
      const Floats256 above = floats256(rows[i + 1] + j + 16 * k);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + j + 16 * k), mixed(below[k], above, w));
      below[k] = above;
    }
  }
}

__attribute__((target("avx2"))) void interpolate_avx2(const RowList& in, float weight, std::uint16_t* out,
                                                      std::ptrdiff_t out_stride) {
  if (in.columns < 16) return interpolate_baseline(in, weight, out, out_stride);
  std::size_t j = 0;
  for (; j + 32 <= in.columns; j += 32) interpolate_strip<2>(in, j, weight, out, out_stride);
  for (; j < in.columns; j += 16)
    interpolate_strip<1>(in, std::min(j, in.columns - 16), weight, out, out_stride);
}

}  // namespace

constinit const DeskewKernels kBaselineKernels{transpose_baseline, interpolate_baseline, "baseline"};
constinit const DeskewKernels kAvx2Kernels{transpose_avx2, interpolate_avx2, "avx2"};

const DeskewKernels& deskew_kernels() noexcept {
  return __builtin_cpu_supports("avx2") ? kAvx2Kernels : kBaselineKernels;
}

}  // namespace spim::detail
