#include "fourier.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <unsupported/Eigen/FFT>
#pragma GCC diagnostic pop

namespace spim {

namespace {

using Complex = std::complex<float>;

/// Applies `line(to, from, n)` to every line along an axis whose neighbours are `stride` values apart.
template <class Line>
void along_axis(Spectrum& volume, std::int64_t n, std::int64_t stride, Line line) {
  std::vector<Complex> in(static_cast<std::size_t>(n)), out(static_cast<std::size_t>(n));
  const std::int64_t blocks = count(volume.size) / (n * stride);
  for (std::int64_t b = 0; b < blocks; ++b)
    for (std::int64_t s = 0; s < stride; ++s) {
      Complex* first = volume.values.data() + b * n * stride + s;
      for (std::int64_t i = 0; i < n; ++i) in[static_cast<std::size_t>(i)] = first[i * stride];
      line(out.data(), in.data(), n);
      for (std::int64_t i = 0; i < n; ++i) first[i * stride] = out[static_cast<std::size_t>(i)];
    }
}

template <class Line>
void along_all(Spectrum& volume, Line line) {
  const Index3 n = volume.size;
  along_axis(volume, n.x, 1, line);
  along_axis(volume, n.y, n.x, line);
  along_axis(volume, n.z, n.x * n.y, line);
}

}  // namespace

std::int64_t good_length(std::int64_t n) {
  for (;; ++n) {
    std::int64_t rest = n;
    for (const std::int64_t factor : {2, 3, 5})
      while (rest % factor == 0) rest /= factor;
    if (rest == 1) return n;
  }
}

void transform(Spectrum& volume) {
  Eigen::FFT<float> fft;
  along_all(volume, [&](Complex* to, const Complex* from, std::int64_t n) {
    fft.fwd(to, from, static_cast<int>(n));
  });
}

void transform_back(Spectrum& volume) {
  Eigen::FFT<float> fft;
  along_all(volume, [&](Complex* to, const Complex* from, std::int64_t n) {
    fft.inv(to, from, static_cast<int>(n));
  });
}

}  // namespace spim
