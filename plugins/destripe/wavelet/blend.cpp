#include "blend.hpp"

#include <algorithm>
#include <cmath>

#include "kernels.hpp"

namespace spim::wavelet {

MaskRows::MaskRows(std::int64_t rows, std::int64_t columns)
    : rows_(rows),
      columns_(columns),
      line_(padded(columns) + 3 * kBlock),
      result_(padded(columns)),
      ring_(kRing, columns) {
  double sum = 0;
  const auto weight = [](std::int64_t i) { return std::exp(-0.5 * static_cast<double>(i * i)); };
  for (std::int64_t i = -kRadius; i <= kRadius; ++i) sum += weight(i);
  for (std::size_t i = 0; i < gaussian_.size(); ++i)
    gaussian_[i] = static_cast<float>(weight(static_cast<std::int64_t>(i)) / sum);
}

void MaskRows::start(MaskSpec spec) noexcept {
  spec_ = spec;
  ready_ = 0;
}

void MaskRows::prepare(ImageView<const float> frame) {
  // A crossover of 0 is a step; the quotient stays finite.
  constexpr float kSteepest = 1e6F;
  const float steepness = spec_.crossover > 1 / kSteepest ? 1 / spec_.crossover : kSteepest;
  float* x = line_.get() + kBlock;
  kernels().sigmoid(frame.row(std::min(ready_, frame.rows - 1)), x, frame.columns, spec_.threshold,
                    steepness);
  if (frame.columns < columns_) x[columns_ - 1] = x[columns_ - 2];
  for (std::int64_t i = 1; i <= kRadius; ++i) {
    x[-i] = x[mirrored(-i, columns_)];
    x[columns_ - 1 + i] = x[mirrored(columns_ - 1 + i, columns_)];
  }
  kernels().convolve(x, gaussian_.data(), kRadius, ring_.row(ready_ % kRing), columns_);
  ++ready_;
}

const float* MaskRows::row(ImageView<const float> frame, std::int64_t y) {
  while (ready_ <= std::min(y + kRadius, rows_ - 1)) prepare(frame);
  std::array<const float*, 2 * kRadius + 1> around{};
  for (std::int64_t i = -kRadius; i <= kRadius; ++i)
    around[static_cast<std::size_t>(i + kRadius)] = ring_.row(mirrored(y + i, rows_) % kRing);
  kernels().convolve_rows(around.data(), gaussian_.data(), kRadius, result_.get(), columns_);
  return result_.get();
}

}  // namespace spim::wavelet
