#include "band.hpp"

#include <algorithm>
#include <cmath>

#include "filters.hpp"

namespace spim::wavelet {

Wavelet::Wavelet(const std::vector<double>& decomposition_low_pass)
    : low(decomposition_low_pass.begin(), decomposition_low_pass.end()) {
  const std::vector<double> high_pass = high_pass_of(decomposition_low_pass);
  high.assign(high_pass.begin(), high_pass.end());
}

int most_levels(std::int64_t shortest, std::int64_t taps) noexcept {
  int levels = 0;
  for (std::int64_t n = 2 * (taps - 1); n <= shortest; n *= 2) ++levels;
  return levels;
}

Line::Line(std::int64_t samples, std::int64_t taps)
    : samples_(samples),
      taps_(taps),
      data_(padded(samples + 2 * taps) + 2 * kBlock),
      even_(padded(samples / 2 + taps) + 2 * kBlock),
      odd_(padded(samples / 2 + taps) + 2 * kBlock) {}

void Line::mirror() noexcept {
  float* x = samples();
  for (std::int64_t i = 1; i <= taps_; ++i) x[-i] = x[mirrored(-i, samples_)];
  for (std::int64_t i = 0; i < taps_; ++i) x[samples_ + i] = x[mirrored(samples_ + i, samples_)];
}

Phases Line::phases(void (*split)(const float*, Phases, std::int64_t)) noexcept {
  const std::int64_t before = taps_ / 2 - 1;
  split(samples() - 2 * before, {even_.get(), odd_.get()}, coefficients(samples_, taps_) + before);
  return {even_.get() + before, odd_.get() + before};
}

ColumnAnalysis::ColumnAnalysis(const Wavelet& wavelet, std::int64_t rows, std::int64_t columns)
    : wavelet_(&wavelet),
      rows_(rows),
      ring_(wavelet.length() + 2, columns),
      pointers_(static_cast<std::size_t>(wavelet.length())) {}

std::int64_t ColumnAnalysis::last_needed(std::int64_t j) const noexcept {
  // Row −i of the mirrored image is row i − 1: the first rows of the subbands look ahead.
  return std::min(rows_ - 1, std::max(2 * j + 1, wavelet_->length() - 3));
}

void ColumnAnalysis::combine(Plane& low, Plane& high) noexcept {
  for (std::size_t k = 0; k < pointers_.size(); ++k)
    pointers_[k] = ring_.row(mirrored(2 * made_ + 1 - static_cast<std::int64_t>(k), rows_) % ring_.rows());
  kernels().analyze_rows(pointers_.data(), wavelet_->taps(), {low.row(made_), high.row(made_)},
                         low.columns());
}

Band::Band(const Wavelet& wavelet, BandSpec spec) : wavelet_(&wavelet), columns_(spec.columns) {
  const std::int64_t taps = wavelet.length();
  std::int64_t rows = spec.rows, columns = spec.columns, scratch = 0, widest = 0;
  levels_.reserve(static_cast<std::size_t>(spec.levels));
  for (int i = 0; i < spec.levels; ++i) {
    const std::int64_t r = coefficients(rows, taps), c = coefficients(columns, taps);
    const double share = static_cast<double>(r) / static_cast<double>(spec.rows);
    levels_.push_back({rows, columns, ColumnAnalysis(wavelet, rows, c), Plane(r, c), Plane(r, c),
                       Notch({c, spec.sigma * share})});
    if (i > 0) lines_.emplace_back(columns, taps);
    scratch = std::max(scratch, levels_.back().notch.scratch_size());
    widest = std::max(widest, std::max(c, columns));
    rows = r;
    columns = c;
  }
  notch_scratch_ = Buffer(scratch);
  even_ = Buffer(padded(widest) + taps + 2 * kBlock);
  odd_ = Buffer(padded(widest) + taps + 2 * kBlock);
  spare_ = Buffer(padded(widest));
  approximation_rows_.resize(static_cast<std::size_t>(taps / 2));
  detail_rows_.resize(static_cast<std::size_t>(taps / 2));
}

void Band::start() noexcept {
  for (Level& level : levels_) level.analysis.start();
}

void Band::push(Phases row) {
  if (!levels_.empty()) push(levels_.front(), row);
}

void Band::push(Level& level, Phases row) {
  kernels().analyze_row(row, wavelet_->taps(), level.analysis.next_row(), level.removed.columns());
  level.analysis.advance(level.approximation, level.removed, [&](std::int64_t j) {
    level.notch.apply(level.removed.row(j), notch_scratch_.get());
  });
}

void Band::finish() {
  for (std::size_t i = 1; i < levels_.size(); ++i) {
    Line& line = lines_[i - 1];
    for (std::int64_t y = 0; y < levels_[i].rows; ++y) {
      std::copy_n(levels_[i - 1].approximation.row(y), levels_[i].columns, line.samples());
      line.mirror();
      push(levels_[i], line.phases(kernels().split));
    }
  }
  for (std::size_t i = levels_.size(); i-- > 1;) {
    Plane& finer = levels_[i - 1].approximation;
    for (std::int64_t y = 0; y < finer.rows(); y += 2)
      reconstruct(levels_[i], y / 2, {finer.row(y), y + 1 < finer.rows() ? finer.row(y + 1) : spare_.get()});
  }
}

void Band::reconstruct(const Level& level, std::int64_t pair, Phases out) {
  const bool coarsest = &level == &levels_.back();
  for (std::size_t t = 0; t < detail_rows_.size(); ++t) {
    const std::int64_t y = pair + static_cast<std::int64_t>(t);
    approximation_rows_[t] = level.approximation.row(y);
    detail_rows_[t] = level.removed.row(y);
  }
  const Taps taps = wavelet_->taps();
  kernels().synthesize_rows({coarsest ? nullptr : approximation_rows_.data(), detail_rows_.data()}, taps,
                            {even_.get(), odd_.get()}, level.removed.columns());
  const std::int64_t pairs = (level.columns + 1) / 2;
  kernels().synthesize_row(even_.get(), taps, out.even, pairs);
  kernels().synthesize_row(odd_.get(), taps, out.odd, pairs);
}

void Band::rows(std::int64_t pair, Phases out) {
  if (!levels_.empty()) {
    reconstruct(levels_.front(), pair, out);
    return;
  }
  std::fill_n(out.even, columns_, 0.0F);
  std::fill_n(out.odd, columns_, 0.0F);
}

}  // namespace spim::wavelet
