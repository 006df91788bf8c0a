#pragma once
/// Polynomials in multiple precision, for computing filters. Coefficients from the lowest power up.

#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cstddef>
#include <vector>

namespace spim::wavelet {

using Real = boost::multiprecision::cpp_bin_float_50;
using Polynomial = std::vector<Real>;

inline Polynomial product(const Polynomial& a, const Polynomial& b) {
  Polynomial result(a.size() + b.size() - 1, Real(0));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k) result[i + k] += a[i] * b[k];
  return result;
}

inline Polynomial power(const Polynomial& a, int exponent) {
  Polynomial result{Real(1)};
  for (int i = 0; i < exponent; ++i) result = product(result, a);
  return result;
}

/// Coefficients of P(y) = Σ binomial(n−1+k, k) y^k, k < n: what makes (1−y)^n P(y) + y^n P(1−y) = 1.
inline Polynomial moment_polynomial(int n) {
  Polynomial p{Real(1)};
  for (int k = 1; k < n; ++k) p.push_back(p.back() * (n - 1 + k) / k);
  return p;
}

}  // namespace spim::wavelet
