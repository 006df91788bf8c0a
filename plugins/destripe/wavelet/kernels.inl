// The loops themselves, compiled once per set of instructions; SPIM_WAVELET_KERNELS is the name of the table.
// Everything is in an unnamed namespace and calls nothing from elsewhere.

#include <cstdint>

#include "kernels.hpp"

namespace spim::wavelet {
namespace {

using std::int64_t;

constexpr int64_t kLanes = 8;
constexpr int64_t kVectors = kBlock / kLanes;  // accumulators at a time: more than the latency of an addition

typedef float Vec __attribute__((vector_size(32)));
typedef std::int32_t VecInt __attribute__((vector_size(32)));
typedef float VecAnywhere __attribute__((vector_size(32), aligned(4), may_alias));
typedef std::int32_t VecIntAnywhere __attribute__((vector_size(32), aligned(4), may_alias));

inline __attribute__((always_inline)) Vec load(const float* p) {
  return *reinterpret_cast<const VecAnywhere*>(p);
}
inline __attribute__((always_inline)) void store(float* p, Vec v) {
  *reinterpret_cast<VecAnywhere*>(p) = v;
}
inline __attribute__((always_inline)) Vec all(float v) {
  return Vec{v, v, v, v, v, v, v, v};
}
inline __attribute__((always_inline)) Vec larger(Vec a, Vec b) {
  return a > b ? a : b;  // b where a is not a number
}
inline __attribute__((always_inline)) Vec smaller(Vec a, Vec b) {
  return a < b ? a : b;
}
inline __attribute__((always_inline)) VecInt bits(Vec v) {
  return reinterpret_cast<VecInt>(v);
}
inline __attribute__((always_inline)) Vec from_bits(VecInt v) {
  return reinterpret_cast<Vec>(v);
}

/// Calls body(i, count) for the blocks of a frame's row, where samples behind the last must not be touched.
template <class Body>
inline __attribute__((always_inline)) void for_frame(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, kLanes);
  if (i < n) body(i, n - i);
}
inline __attribute__((always_inline)) Vec load_some(const float* p, int64_t count) {
  if (count == kLanes) return load(p);
  float v[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return load(v);
}
inline __attribute__((always_inline)) void store_some(float* p, Vec v, int64_t count) {
  if (count == kLanes) {
    store(p, v);
    return;
  }
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
}

/// ln x for normal x > 0, to 1e-7 of the larger of its value and 1: exponent and mantissa in [sqrt ½, sqrt
/// 2), and the series of the inverse hyperbolic tangent.
inline __attribute__((always_inline)) Vec logarithm(Vec x) {
  constexpr std::int32_t kRootHalf = 0x3f3504f3;
  const VecInt shifted = bits(x) - kRootHalf;
  const Vec exponent = __builtin_convertvector(shifted >> 23, Vec);
  const Vec m = from_bits((shifted & 0x007fffff) + kRootHalf);
  const Vec s = (m - 1.0F) / (m + 1.0F);
  const Vec s2 = s * s;
  const Vec series = s2 * (s2 * (s2 * (s2 * (2.0F / 9) + 2.0F / 7) + 2.0F / 5) + 2.0F / 3);
  return exponent * 0.693147180559945F + (s * series + (s + s));
}

/// e^x to 1e-7 of its value; x is held within ±60, where results and products with grey levels stay finite.
inline __attribute__((always_inline)) Vec exponential(Vec x) {
  x = smaller(larger(x, all(-60)), all(60));
  const Vec magic = all(12582912.0F);  // 1.5 · 2^23: adding it rounds to whole numbers
  const Vec whole = x * 1.44269504088896F + magic;
  const Vec n = whole - magic;
  const Vec r = (x - n * 0.693145751953125F) - n * 1.42860676533018e-6F;  // ln 2 in two parts
  Vec p = all(1.0F / 5040);
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r * r + (r + 1.0F);
  return p * from_bits((bits(whole) - bits(magic) + 127) << 23);
}

void grey_levels(const float* frame, std::int32_t* levels, int64_t n) {
  for_frame(n, [&](int64_t i, int64_t count) {
    const Vec v = smaller(larger(load_some(frame + i, count), all(0)), all(65535));
    const VecInt level = __builtin_convertvector(v + 0.5F, VecInt);
    if (count == kLanes)
      *reinterpret_cast<VecIntAnywhere*>(levels + i) = level;
    else
      for (int64_t k = 0; k < count; ++k) levels[i + k] = level[k];
  });
}

bool logarithms(const float* frame, float* out, int64_t n, float scale) {
  VecInt bad = bits(all(0));
  for_frame(n, [&](int64_t i, int64_t count) {
    const Vec v = load_some(frame + i, count);
    const Vec difference = v - v;  // not 0 for infinities and for what is not a number
    bad |= ~(difference == all(0));
    store_some(out + i, logarithm((larger(v, all(0)) + 1.0F) * scale), count);
  });
  std::int32_t any = 0;
  for (int64_t k = 0; k < kLanes; ++k) any |= bad[k];
  return any == 0;
}

template <class Change>
inline __attribute__((always_inline)) void split_with(const float* in, Phases out, int64_t n,
                                                      const Change& change) {
  for (int64_t p = 0; p < n; p += kLanes) {
    const Vec a = load(in + 2 * p), b = load(in + 2 * p + kLanes);
    store(out.even + p, change(__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)));
    store(out.odd + p, change(__builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)));
  }
}
void split(const float* in, Phases out, int64_t n) {
  split_with(in, out, n, [](Vec v) { return v; });
}
void split_positive(const float* in, Phases out, int64_t n) {
  split_with(in, out, n, [](Vec v) { return larger(v, all(0)); });
}
void split_negative(const float* in, Phases out, int64_t n) {
  split_with(in, out, n, [](Vec v) { return smaller(v, all(0)); });
}

void analyze_row(Phases in, Taps taps, float* out, int64_t n) {
  const int64_t half = taps.count / 2;
  for (int64_t j = 0; j < n; j += kBlock) {
    Vec sum[kVectors] = {};
    for (int64_t t = 0; t < half; ++t) {
      const Vec of_even = all(taps.low[2 * t + 1]), of_odd = all(taps.low[2 * t]);
      for (int64_t v = 0; v < kVectors; ++v) {
        sum[v] += of_even * load(in.even + j - t + v * kLanes);
        sum[v] += of_odd * load(in.odd + j - t + v * kLanes);
      }
    }
    for (int64_t v = 0; v < kVectors; ++v) store(out + j + v * kLanes, sum[v]);
  }
}

void analyze_rows(const float* const* rows, Taps taps, Phases low_and_high, int64_t n) {
  for (int64_t x = 0; x < n; x += kBlock) {
    Vec low[kVectors] = {}, high[kVectors] = {};
    for (int64_t k = 0; k < taps.count; ++k) {
      const Vec of_low = all(taps.low[k]), of_high = all(taps.high[k]);
      for (int64_t v = 0; v < kVectors; ++v) {
        const Vec in = load(rows[k] + x + v * kLanes);
        low[v] += of_low * in;
        high[v] += of_high * in;
      }
    }
    for (int64_t v = 0; v < kVectors; ++v) {
      store(low_and_high.even + x + v * kLanes, low[v]);
      store(low_and_high.odd + x + v * kLanes, high[v]);
    }
  }
}

void synthesize_rows(SubbandRows rows, Taps taps, Phases out, int64_t n) {
  const int64_t half = taps.count / 2;
  for (int64_t x = 0; x < n; x += kBlock) {
    Vec even[kVectors] = {}, odd[kVectors] = {};
    const auto add = [&](const float* const* from, const float* filter) {
      for (int64_t t = 0; t < half; ++t) {
        const Vec of_even = all(filter[2 * t + 1]), of_odd = all(filter[2 * t]);
        for (int64_t v = 0; v < kVectors; ++v) {
          const Vec in = load(from[t] + x + v * kLanes);
          even[v] += of_even * in;
          odd[v] += of_odd * in;
        }
      }
    };
    if (rows.approximation) add(rows.approximation, taps.low);
    add(rows.detail, taps.high);
    for (int64_t v = 0; v < kVectors; ++v) {
      store(out.even + x + v * kLanes, even[v]);
      store(out.odd + x + v * kLanes, odd[v]);
    }
  }
}

void synthesize_row(const float* in, Taps taps, float* out, int64_t n) {
  constexpr int64_t kPairs = kVectors / 2;
  const int64_t half = taps.count / 2;
  for (int64_t p = 0; p < n; p += kPairs * kLanes) {
    Vec even[kPairs] = {}, odd[kPairs] = {};
    for (int64_t t = 0; t < half; ++t) {
      const Vec of_even = all(taps.low[2 * t + 1]), of_odd = all(taps.low[2 * t]);
      for (int64_t v = 0; v < kPairs; ++v) {
        const Vec sample = load(in + p + t + v * kLanes);
        even[v] += of_even * sample;
        odd[v] += of_odd * sample;
      }
    }
    for (int64_t v = 0; v < kPairs; ++v) {
      float* to = out + 2 * (p + v * kLanes);
      store(to, __builtin_shufflevector(even[v], odd[v], 0, 8, 1, 9, 2, 10, 3, 11));
      store(to + kLanes, __builtin_shufflevector(even[v], odd[v], 4, 12, 5, 13, 6, 14, 7, 15));
    }
  }
}

/// Distances of the kernel are taken in the order 1, 1 + kLanes, …, 2, 2 + kLanes, …: kLanes farther away a
/// vector meets what its neighbour has just met, so that of each side's samples only one vector has to be
/// loaded.
void convolve(const float* in, const float* kernel, int64_t radius, float* out, int64_t n) {
  constexpr int64_t kLast = kVectors - 1;
  for (int64_t i = 0; i < n; i += kBlock) {
    const float* const at = in + i;
    Vec sum[kVectors];
    for (int64_t v = 0; v < kVectors; ++v) sum[v] = all(kernel[0]) * load(at + v * kLanes);
    for (int64_t first = 1; first <= (radius < kLanes ? radius : kLanes); ++first) {
      Vec left[kVectors], right[kVectors];
      for (int64_t v = 0; v < kVectors; ++v) {
        left[v] = load(at - first + v * kLanes);
        right[v] = load(at + first + v * kLanes);
      }
      for (int64_t j = first;;) {
        const Vec weight = all(kernel[j]);
        for (int64_t v = 0; v < kVectors; ++v) sum[v] += weight * (left[v] + right[v]);
        j += kLanes;
        if (j > radius) break;
        for (int64_t v = 0; v < kLast; ++v) {
          left[kLast - v] = left[kLast - v - 1];
          right[v] = right[v + 1];
        }
        left[0] = load(at - j);
        right[kLast] = load(at + j + kLast * kLanes);
      }
    }
    for (int64_t v = 0; v < kVectors; ++v) store(out + i + v * kLanes, sum[v]);
  }
}

void convolve_rows(const float* const* rows, const float* kernel, int64_t radius, float* out, int64_t n) {
  for (int64_t x = 0; x < n; x += kBlock) {
    Vec sum[kVectors];
    for (int64_t v = 0; v < kVectors; ++v) sum[v] = all(kernel[0]) * load(rows[radius] + x + v * kLanes);
    for (int64_t j = 1; j <= radius; ++j) {
      const Vec weight = all(kernel[j]);
      for (int64_t v = 0; v < kVectors; ++v) {
        const int64_t at = x + v * kLanes;
        sum[v] += weight * (load(rows[radius - j] + at) + load(rows[radius + j] + at));
      }
    }
    for (int64_t v = 0; v < kVectors; ++v) store(out + x + v * kLanes, sum[v]);
  }
}

float total(Vec v) {
  float sum = 0;
  for (int64_t k = 0; k < kLanes; ++k) sum += v[k];
  return sum;
}

void project(const float* in, const float* table, int64_t stride, float* sums, int64_t count) {
  int64_t m = 0;
  for (; m + kVectors <= count; m += kVectors) {
    Vec sum[kVectors] = {};
    for (int64_t i = 0; i < stride; i += kLanes) {
      const Vec sample = load(in + i);
      for (int64_t v = 0; v < kVectors; ++v) sum[v] += sample * load(table + (m + v) * stride + i);
    }
    for (int64_t v = 0; v < kVectors; ++v) sums[m + v] = total(sum[v]);
  }
  for (; m < count; ++m) {
    Vec sum = all(0);
    for (int64_t i = 0; i < stride; i += kLanes) sum += load(in + i) * load(table + m * stride + i);
    sums[m] = total(sum);
  }
}

void expand(const float* weights, const float* table, int64_t stride, float* out, int64_t count) {
  for (int64_t i = 0; i < stride; i += kBlock) {
    Vec sum[kVectors];
    for (int64_t v = 0; v < kVectors; ++v) sum[v] = load(out + i + v * kLanes);
    for (int64_t m = 0; m < count; ++m) {
      const Vec weight = all(weights[m]);
      for (int64_t v = 0; v < kVectors; ++v) sum[v] += weight * load(table + m * stride + i + v * kLanes);
    }
    for (int64_t v = 0; v < kVectors; ++v) store(out + i + v * kLanes, sum[v]);
  }
}

void sigmoid(const float* frame, float* out, int64_t n, float threshold, float steepness) {
  for_frame(n, [&](int64_t i, int64_t count) {
    const Vec v = load_some(frame + i, count);
    store_some(out + i, 1.0F / (1.0F + exponential((threshold - v) * steepness)), count);
  });
}

void blend_bands(const BlendRow& row, float* frame, int64_t n) {
  const Vec threshold = all(row.threshold);
  for_frame(n, [&](int64_t i, int64_t count) {
    const Vec v = load_some(row.image + i, count);
    const Vec bright =
        row.foreground ? (larger(v, threshold) + 1.0F) * exponential(-load(row.foreground + i)) - 1.0F : v;
    const Vec dark =
        row.background ? (smaller(v, threshold) + 1.0F) * exponential(-load(row.background + i)) - 1.0F : v;
    store_some(frame + i, dark + load(row.mask + i) * (bright - dark), count);
  });
}

void blend(const BlendRow& row, float* frame, int64_t n) {
  if (row.mask) {
    blend_bands(row, frame, n);
    return;
  }
  for_frame(n, [&](int64_t i, int64_t count) {
    const Vec v = load_some(row.image + i, count);
    store_some(frame + i, (v + 1.0F) * exponential(-load(row.foreground + i)) - 1.0F, count);
  });
}

constexpr Kernels kTable{grey_levels,   logarithms,   split,           split_positive, split_negative,
                         analyze_row,   analyze_rows, synthesize_rows, synthesize_row, convolve,
                         convolve_rows, project,      expand,          sigmoid,        blend};

}  // namespace

const Kernels& SPIM_WAVELET_KERNELS() {
  return kTable;
}

}  // namespace spim::wavelet
