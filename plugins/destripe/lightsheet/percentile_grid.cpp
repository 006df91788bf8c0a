#include "percentile_grid.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "spim/clones.hpp"

namespace spim::lightsheet {

namespace {

constexpr std::align_val_t kAlignment{64};

SPIM_CLONES void split_columns(const Key* keys, std::int64_t pairs, Key* even, Key* odd) {
  for (std::int64_t i = 0; i < pairs; ++i) {
    even[i] = keys[2 * i];
    odd[i] = keys[2 * i + 1];
  }
}

void fill_up(Key* keys, std::int64_t count) {
  std::fill(keys + count, keys + padded_keys(count), static_cast<Key>(kHighestKey));
}

}  // namespace

void KeyMemory::Free::operator()(Key* p) const noexcept {
  ::operator delete[](p, kAlignment);
}

Key* KeyMemory::reserve(std::int64_t keys) {
  if (keys > size_) {
    memory_.reset(
        static_cast<Key*>(::operator new[](static_cast<std::size_t>(keys) * sizeof(Key), kAlignment)));
    size_ = keys;
  }
  return memory_.get();
}

double WindowPercentile::operator()(const KeyScale& scale, const KeyWindow& window, const Samples& samples,
                                    int& guess) {
  const PercentileRank at = PercentileRank::of(share_, window.count);
  const KeyPair pair = select(window, at.rank, guess);
  guess = pair.low;
  if (!scale.exact()) return between(window, samples, pair, at);
  const double low = scale.value(pair.low);
  return low + (scale.value(pair.high) - low) * at.fraction;
}

double WindowPercentile::between(const KeyWindow& window, const Samples& samples, const KeyPair& pair,
                                 PercentileRank at) {
  with_key(window, samples, pair.low);
  const std::int64_t rank = at.rank - pair.below;
  const auto place = samples_.begin() + rank;
  std::nth_element(samples_.begin(), place, samples_.end());
  const double low = *place;
  double high = low;
  if (pair.high != pair.low)
    high = std::ranges::min(with_key(window, samples, pair.high));
  else if (place + 1 != samples_.end())
    high = *std::min_element(place + 1, samples_.end());
  return low + (high - low) * at.fraction;
}

const std::vector<float>& WindowPercentile::with_key(const KeyWindow& window, const Samples& samples,
                                                     int key) {
  positions_.resize(static_cast<std::size_t>(window.count));
  const auto found = static_cast<std::size_t>(find_equal(window, key, positions_.data()));
  samples_.resize(found);
  for (std::size_t i = 0; i < found; ++i) {
    const std::int64_t row = positions_[i] / samples.columns, column = positions_[i] % samples.columns;
    samples_[i] = samples.first[row * samples.row_step + column * samples.column_step];
  }
  return samples_;
}

void SubsampledKeys::resize(std::int64_t rows, std::int64_t columns) {
  columns_ = columns;
  stride_ = padded_keys((columns + 1) / 2);
  keys_ = memory_.reserve(rows * 2 * stride_);
}

void SubsampledKeys::set_row(std::int64_t row, const Key* keys) {
  split_columns(keys, columns_ / 2, line(row, 0), line(row, 1));
  if (columns_ % 2 != 0) line(row, 0)[columns_ / 2] = keys[columns_ - 1];
}

std::int64_t SubsampledKeys::gather(Interval rows, Interval columns, Key* out) const {
  const std::int64_t width = (columns.size() + 1) / 2;
  std::int64_t count = 0;
  for (std::int64_t row = rows.begin; row < rows.end; row += 2, count += width)
    std::memcpy(out + count, line(row, columns.begin % 2) + columns.begin / 2,
                static_cast<std::size_t>(width) * sizeof(Key));
  fill_up(out, count);
  return count;
}

void PercentileGrid::estimate(ImageView<const float> frame) {
  stripe_axis_ = {frame.columns, {settings_.artifact_length, settings_.artifact_length}};
  background_rows_ = {frame.rows, {settings_.background_window, kBackgroundSpacing}};
  background_columns_ = {frame.columns, {settings_.background_window, kBackgroundSpacing}};
  const KeyScale scale(frame);
  whole_ = scale.whole();
  estimate_stripes(frame, scale);
  estimate_background(frame, scale);
}

void PercentileGrid::estimate_stripes(ImageView<const float> frame, const KeyScale& scale) {
  const std::int64_t windows = stripe_axis_.count();
  stripes_.resize(static_cast<std::size_t>(frame.rows * windows));
  subsampled_.resize(frame.rows, frame.columns);
  Key* const row = row_memory_.reserve(frame.columns);
  Key* const keys = window_memory_.reserve(padded_keys(std::min(frame.columns, settings_.artifact_length)));
  int guess = kLowestKey;
  for (std::int64_t y = 0; y < frame.rows; ++y) {
    scale.keys(frame.row(y), frame.columns, row);
    subsampled_.set_row(y, row);
    for (std::int64_t i = 0; i < windows; ++i) {
      const Interval at = stripe_axis_.window(i);
      std::copy(row + at.begin, row + at.end, keys);
      fill_up(keys, at.size());
      const double found =
          percentile_(scale, {keys, at.size()}, {frame.row(y) + at.begin, 0, 1, at.size()}, guess);
      // The type of the samples is that of the result: a camera's counts give whole numbers, cut off.
      stripes_[static_cast<std::size_t>(y * windows + i)] =
          static_cast<float>(whole_ ? std::floor(found) : found);
    }
  }
}

void PercentileGrid::estimate_background(ImageView<const float> frame, const KeyScale& scale) {
  const auto every_second = [](std::int64_t samples) { return (samples + 1) / 2; };
  const auto longest = [&](std::int64_t extent) {
    return every_second(std::min(extent, settings_.background_window));
  };
  Key* const keys = window_memory_.reserve(padded_keys(longest(frame.rows) * longest(frame.columns)));
  background_.resize(static_cast<std::size_t>(background_rows_.count() * background_columns_.count()));
  auto out = background_.begin();
  int guess = kLowestKey;
  for (std::int64_t i = 0; i < background_rows_.count(); ++i)
    for (std::int64_t j = 0; j < background_columns_.count(); ++j) {
      const Interval rows = background_rows_.window(i), columns = background_columns_.window(j);
      const std::int64_t count = subsampled_.gather(rows, columns, keys);
      const WindowPercentile::Samples samples{frame.row(rows.begin) + columns.begin, 2 * frame.row_stride, 2,
                                              every_second(columns.size())};
      *out++ = static_cast<float>(percentile_(scale, {keys, count}, samples, guess));
    }
}

}  // namespace spim::lightsheet
