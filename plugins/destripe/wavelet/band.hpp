#pragma once
/// What is to be removed from the logarithm of one image.

#include <cstdint>
#include <vector>

#include "buffer.hpp"
#include "kernels.hpp"
#include "notch.hpp"

namespace spim::wavelet {

/// An orthogonal wavelet as the kernels take it. An even number of taps.
struct Wavelet {
  std::vector<float> low, high;

  explicit Wavelet(const std::vector<double>& decomposition_low_pass);
  std::int64_t length() const noexcept { return static_cast<std::int64_t>(low.size()); }
  Taps taps() const noexcept { return {low.data(), high.data(), length()}; }
};

/// Samples of a decomposition of n samples: the overlap with the mirrored ends included.
constexpr std::int64_t coefficients(std::int64_t n, std::int64_t taps) noexcept {
  return (n + taps - 1) / 2;
}

/// How often an image of `shortest` samples on its shorter side can be decomposed until a side is shorter
/// than the filter less one: floor(log2(shortest / (taps − 1))), the rule of PyWavelets.
int most_levels(std::int64_t shortest, std::int64_t taps) noexcept;

/// One row on its way into a decomposition, mirrored at both ends.
class Line {
 public:
  Line(std::int64_t samples, std::int64_t taps);
  float* samples() noexcept { return data_.get() + taps_; }
  /// Fills what lies beyond both ends from the samples.
  void mirror() noexcept;
  /// Even and odd samples, passed through one of the split kernels. Valid until the next call.
  Phases phases(void (*split)(const float*, Phases, std::int64_t)) noexcept;

 private:
  std::int64_t samples_, taps_;
  Buffer data_, even_, odd_;
};

/// Decomposes along the columns: rows come in one by one, and each row of the two subbands is made as soon as
/// it can be.
class ColumnAnalysis {
 public:
  /// For `rows` rows of `columns` samples. `wavelet` outlives this.
  ColumnAnalysis(const Wavelet& wavelet, std::int64_t rows, std::int64_t columns);
  void start() noexcept { given_ = made_ = 0; }
  /// Where the next row is to be put.
  float* next_row() noexcept { return ring_.row(given_ % ring_.rows()); }
  /// Takes what was put there. Calls made(j) for each new row j of `low` and `high`.
  template <class Made>
  void advance(Plane& low, Plane& high, const Made& made) {
    ++given_;
    while (made_ < low.rows() && given_ > last_needed(made_)) {
      combine(low, high);
      made(made_++);
    }
  }

 private:
  std::int64_t last_needed(std::int64_t j) const noexcept;
  void combine(Plane& low, Plane& high) noexcept;

  const Wavelet* wavelet_;
  std::int64_t rows_, given_ = 0, made_ = 0;
  Plane ring_;
  std::vector<const float*> pointers_;
};

/// Shape and settings of a band.
struct BandSpec {
  std::int64_t rows = 0, columns = 0;  ///< both even
  int levels = 0;
  double sigma = 0;  ///< bandwidth in pixels of the image
};

/// Decomposes an image, of which only the subband that is smooth along x and rough along y matters, and gives
/// the image that is made from the parts that the notch takes out of this subband on all levels, everything
/// else being zero. Reconstruction is linear: subtracting this image from the given one is the same as
/// reconstructing it with the notch applied, and neither the other subbands nor the image itself are needed.
/// [one thread]
class Band {
 public:
  /// `wavelet` outlives this.
  Band(const Wavelet& wavelet, BandSpec spec);

  void start() noexcept;
  /// Takes the next row of the image.
  void push(Phases row);
  /// To be called after the last row.
  void finish();
  /// Rows 2·pair and 2·pair+1 of what is to be removed. Each has room for whole blocks of `columns`.
  void rows(std::int64_t pair, Phases out);

 private:
  struct Level {
    std::int64_t rows, columns;  ///< of what is decomposed
    ColumnAnalysis analysis;
    Plane approximation;  ///< later: what is to be removed from it
    Plane removed;        ///< by the notch
    Notch notch;
  };

  void push(Level& level, Phases row);
  void reconstruct(const Level& level, std::int64_t pair, Phases out);

  const Wavelet* wavelet_;
  std::int64_t columns_;
  std::vector<Level> levels_;
  std::vector<Line> lines_;  ///< of the levels after the first
  Buffer notch_scratch_, even_, odd_, spare_;
  std::vector<const float*> approximation_rows_, detail_rows_;
};

}  // namespace spim::wavelet
