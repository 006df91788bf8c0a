// I. Daubechies, Ten Lectures on Wavelets (1992), section 8.2: with c = cos²(w/2) and s = sin²(w/2) the
// filter of order K is
//   m(w) = c^K [P(s) + s^K f(w)],  P(y) = Σ binomial(K−1+k, k) y^k,  f(w) = Σ f_n e^(−inw), 0 ≤ n < 2K.
// The moments vanish whatever f is; f follows from the orthogonality of the filter to its even shifts,
// quadratic equations that are solved here by the method of Gauss and Newton. They have several solutions:
// the starting values (coiflet_starts.py made them) lead to the published one.
#include "coiflets.hpp"

#include <span>

#include "polynomial.hpp"

namespace spim::wavelet {
namespace {

constexpr double kStarts[][2 * kCoiflets] = {
    {0.82288, 0.17712},
    {2.9664, 0.49404, -0.33004, -0.13043},
    {10.987, 1.4592, -2.0031, -0.74904, 0.20559, 0.10021},
    {41.351, 4.4878, -9.623, -3.4475, 1.6804, 0.78548, -0.15106, -0.082718},
    {157.25, 14.131, -42.616, -14.749, 9.7453, 4.4044, -1.5399, -0.81621, 0.1204, 0.071209},
    {602.37, 45.054, -181.59, -61.063, 49.249, 21.644, -10.43, -5.3781, 1.4681, 0.84612, -0.10068, -0.062983},
};

/// The filter as a function of f: fixed + Σ f_n · (bump shifted by n).
struct Family {
  Polynomial fixed, bump;

  explicit Family(int order) : fixed(static_cast<std::size_t>(6 * order), Real(0)) {
    const Polynomial c{Real(1) / 4, Real(1) / 2, Real(1) / 4}, s{Real(-1) / 4, Real(1) / 2, Real(-1) / 4};
    const Polynomial moments = moment_polynomial(order);
    Polynomial sum(static_cast<std::size_t>(2 * order - 1), Real(0));
    for (int k = 0; k < order; ++k) {
      const Polynomial term = power(s, k);
      const auto first = static_cast<std::size_t>(order - 1 - k);
      for (std::size_t i = 0; i < term.size(); ++i)
        sum[first + i] += moments[static_cast<std::size_t>(k)] * term[i];
    }
    const Polynomial smooth = product(power(c, order), sum);
    std::copy(smooth.begin(), smooth.end(), fixed.begin() + 1);
    bump = power(product(c, s), order);
  }

  Polynomial filter(std::span<const Real> f) const {
    Polynomial h = fixed;
    for (std::size_t n = 0; n < f.size(); ++n)
      for (std::size_t i = 0; i < bump.size(); ++i) h[n + i] += f[n] * bump[i];
    return h;
  }
};

/// Solves the square system by elimination; rows hold the right side as their last entry.
std::vector<Real> solve(std::vector<std::vector<Real>> rows) {
  const std::size_t n = rows.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = i + 1; k < n; ++k)
      if (abs(rows[k][i]) > abs(rows[i][i])) std::swap(rows[k], rows[i]);
    for (std::size_t k = i + 1; k < n; ++k) {
      const Real factor = rows[k][i] / rows[i][i];
      for (std::size_t j = i; j <= n; ++j) rows[k][j] -= factor * rows[i][j];
    }
  }
  std::vector<Real> x(n);
  for (std::size_t i = n; i-- > 0;) {
    Real sum = rows[i][n];
    for (std::size_t j = i + 1; j < n; ++j) sum -= rows[i][j] * x[j];
    x[i] = sum / rows[i][i];
  }
  return x;
}

/// One step: the change of f that makes the linearised equations hold best. There are more equations than
/// unknowns, but no more independent ones.
std::vector<Real> step(const Family& family, const Polynomial& h, std::size_t unknowns) {
  const std::size_t taps = h.size();
  std::vector<std::vector<Real>> normal(unknowns, std::vector<Real>(unknowns + 1, Real(0)));
  for (std::size_t shift = 0; shift < taps; shift += 2) {
    Real residual = shift == 0 ? Real(-0.5) : Real(0);
    for (std::size_t k = 0; k + shift < taps; ++k) residual += h[k] * h[k + shift];
    std::vector<Real> slope(unknowns, Real(0));
    for (std::size_t n = 0; n < unknowns; ++n)
      for (std::size_t i = 0; i < family.bump.size(); ++i) {
        const std::size_t k = n + i;
        if (k + shift < taps) slope[n] += family.bump[i] * h[k + shift];
        if (k >= shift) slope[n] += family.bump[i] * h[k - shift];
      }
    for (std::size_t a = 0; a < unknowns; ++a) {
      for (std::size_t b = 0; b < unknowns; ++b) normal[a][b] += slope[a] * slope[b];
      normal[a][unknowns] -= slope[a] * residual;
    }
  }
  return solve(std::move(normal));
}

}  // namespace

std::vector<double> coiflet(int order) {
  constexpr int kSteps = 6;  // the five digits double with each, to beyond the precision
  const Family family(order);
  const auto unknowns = static_cast<std::size_t>(2 * order);
  const double* start = kStarts[order - 1];
  std::vector<Real> f(start, start + unknowns);
  for (int i = 0; i < kSteps; ++i) {
    const std::vector<Real> change = step(family, family.filter(f), unknowns);
    for (std::size_t n = 0; n < unknowns; ++n) f[n] += change[n];
  }
  const Polynomial h = family.filter(f);
  std::vector<double> result;
  for (std::size_t k = h.size(); k-- > 0;) result.push_back(Real(h[k] * sqrt(Real(2))).convert_to<double>());
  return result;
}

}  // namespace spim::wavelet
