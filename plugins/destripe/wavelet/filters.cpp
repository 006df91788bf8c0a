// Spectral factorisation after I. Daubechies, Ten Lectures on Wavelets (1992), chapters 6 and 8: the filter
// with N vanishing moments is (1+z)^N q(z) with |q(e^iw)|² = P(sin² w/2), P(y) = Σ binomial(N−1+k, k) y^k.
// Each zero of P gives a pair z, 1/z of which q takes one: always the inner one for db, and for sym the
// choice that makes the phase most nearly linear.
#include "filters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <complex>
#include <optional>

#include "coiflets.hpp"
#include "polynomial.hpp"
#include "spim/error.hpp"

namespace spim::wavelet {
namespace {

/// A complex number: std::complex is only defined for the built-in types.
struct Complex {
  Real re, im;
};
Complex operator+(const Complex& a, const Complex& b) {
  return {a.re + b.re, a.im + b.im};
}
Complex operator-(const Complex& a, const Complex& b) {
  return {a.re - b.re, a.im - b.im};
}
Complex operator*(const Complex& a, const Complex& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
Complex operator/(const Complex& a, const Complex& b) {
  const Real n = b.re * b.re + b.im * b.im;
  return {(a.re * b.re + a.im * b.im) / n, (a.im * b.re - a.re * b.im) / n};
}
Real modulus(const Complex& a) {
  return sqrt(Real(a.re * a.re + a.im * a.im));
}
Complex root(const Complex& a) {
  const Real r = modulus(a);
  const auto half_root = [](const Real& v) { return v > 0 ? Real(sqrt(Real(v / 2))) : Real(0); };
  const Real re = half_root(r + a.re), im = half_root(r - a.re);
  return {re, a.im < 0 ? Real(-im) : im};
}

/// All zeros, first by simultaneous iteration (Durand and Kerner) in long double, then each by Newton's
/// method.
std::vector<Complex> zeros(const Polynomial& p) {
  using Guess = std::complex<long double>;
  const std::size_t degree = p.size() - 1;
  std::vector<Guess> guesses(degree);
  for (std::size_t i = 0; i < degree; ++i) guesses[i] = std::pow(Guess(0.4L, 0.5L), static_cast<int>(i));
  const auto lead = p.back().convert_to<long double>();
  for (int step = 0; step < 400; ++step)
    for (std::size_t i = 0; i < degree; ++i) {
      Guess value = 0, others = lead;
      for (std::size_t k = degree + 1; k-- > 0;) value = value * guesses[i] + p[k].convert_to<long double>();
      for (std::size_t k = 0; k < degree; ++k)
        if (k != i) others *= guesses[i] - guesses[k];
      guesses[i] -= value / others;
    }
  std::vector<Complex> result;
  for (const Guess& guess : guesses) {
    Complex y{guess.real(), guess.imag()};
    for (int step = 0; step < 8; ++step) {
      Complex value{0, 0}, slope{0, 0};
      for (std::size_t k = degree + 1; k-- > 0;) {
        slope = slope * y + value;
        value = value * y + Complex{p[k], 0};
      }
      y = y - value / slope;
    }
    result.push_back(y);
  }
  return result;
}

/// The zeros inside the unit circle, one of each conjugate pair, by falling modulus. Those on the real axis
/// have an imaginary part of exactly 0.
std::vector<Complex> inner_zeros(int moments) {
  std::vector<Complex> result;
  for (Complex y : zeros(moment_polynomial(moments))) {
    const Real tolerance("1e-20");
    if (y.im < -tolerance) continue;
    if (y.im < tolerance) y.im = 0;
    const Complex half = Complex{1, 0} - Complex{2, 0} * y;  // z + 1/z = 2 − 4y
    const Complex away = root(half * half - Complex{1, 0});
    Complex z = half + away;
    if (modulus(z) > 1) z = half - away;
    result.push_back(z);
  }
  std::sort(result.begin(), result.end(),
            [](const Complex& a, const Complex& b) { return modulus(a) > modulus(b); });
  return result;
}

/// Bit i: zero i of inner_zeros() is replaced by its reciprocal. Which of the nearly equal choices for the
/// least asymmetric filter people use is a convention; these are the ones of the published filters.
constexpr unsigned kSymlets[] = {0,  0,  0,  0,  1,  2,   5,   4,   5,  6,  21,
                                 12, 42, 14, 26, 28, 154, 113, 357, 92, 666};

/// (1+z)^N times the factors of the zeros, normalised to sum sqrt 2, the highest power last.
std::vector<double> filter_of(int moments, unsigned outside) {
  Polynomial p = power({Real(1), Real(1)}, moments);
  const std::vector<Complex> inner = inner_zeros(moments);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    Complex z = inner[i];
    if (outside >> i & 1U) z = Complex{1, 0} / z;
    if (z.im == 0)
      p = product(p, {Real(-z.re), Real(1)});
    else
      p = product(p, {Real(z.re * z.re + z.im * z.im), Real(-2 * z.re), Real(1)});
  }
  Real sum = 0;
  for (const Real& v : p) sum += v;
  std::vector<double> result;
  for (const Real& v : p) result.push_back(Real(v * sqrt(Real(2)) / sum).convert_to<double>());
  return result;
}

/// The number behind `family` in `name`, if it is one in [first, last].
std::optional<int> order(std::string_view name, std::string_view family, int first, int last) {
  if (!name.starts_with(family)) return {};
  const std::string_view digits = name.substr(family.size());
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.front() == '0') return {};
  if (value < first || value > last) return {};
  return value;
}

}  // namespace

std::vector<double> decomposition_filter(std::string_view name) {
  if (name == "haar") return filter_of(1, 0);
  if (const auto n = order(name, "db", 1, 20)) return filter_of(*n, 0);
  if (const auto n = order(name, "sym", 2, 20)) return filter_of(*n, kSymlets[*n]);
  if (const auto n = order(name, "coif", 1, kCoiflets)) return coiflet(*n);
  throw UsageError(fmt::format(
      "wavelet {} is not known; use haar, db1 to db20, sym2 to sym20 or coif1 to coif{}", name, kCoiflets));
}

std::vector<double> high_pass_of(const std::vector<double>& low_pass) {
  std::vector<double> result(low_pass.rbegin(), low_pass.rend());
  for (std::size_t k = 0; k < result.size(); k += 2) result[k] = -result[k];
  return result;
}

}  // namespace spim::wavelet
