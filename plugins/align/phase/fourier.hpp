#pragma once
/// Fourier transforms of small volumes.

#include <complex>
#include <vector>

#include "spim/geometry.hpp"

namespace spim {

/// The smallest length ≥ n without prime factors beyond 5: others take several times as long.
std::int64_t good_length(std::int64_t n);

/// Complex volume, x fastest.
struct Spectrum {
  Index3 size;
  std::vector<std::complex<float>> values;
};

/// Transforms in place; the inverse divides by the number of values.
void transform(Spectrum& volume);
void transform_back(Spectrum& volume);

}  // namespace spim
