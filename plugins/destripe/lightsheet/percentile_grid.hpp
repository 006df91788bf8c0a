#pragma once
/// Percentiles of the windows of a frame.

#include <cstdint>
#include <memory>
#include <vector>

#include "order_statistics.hpp"
#include "sample_keys.hpp"
#include "spim/image.hpp"
#include "window_axis.hpp"

namespace spim::lightsheet {

/// Memory for keys, aligned for vectors, whose contents are undefined.
class KeyMemory {
 public:
  Key* reserve(std::int64_t keys);

 private:
  struct Free {
    void operator()(Key* p) const noexcept;
  };
  std::unique_ptr<Key[], Free> memory_;
  std::int64_t size_ = 0;
};

/// Finds percentiles in windows of one frame. [one thread at a time]
class WindowPercentile {
 public:
  explicit WindowPercentile(double share) noexcept : share_(share) {}

  /// Samples rows × columns, each `row_step` and `column_step` floats from the next.
  struct Samples {
    const float* first = nullptr;
    std::int64_t row_step = 0, column_step = 0;
    std::int64_t columns = 0;
  };

  /// The percentile of the samples of which `window` holds the keys, row after row; `guess` is a key near it
  /// and becomes the one found.
  double operator()(const KeyScale& scale, const KeyWindow& window, const Samples& samples, int& guess);

 private:
  double between(const KeyWindow& window, const Samples& samples, const KeyPair& pair, PercentileRank at);
  /// Samples whose key is `key`, in any order.
  const std::vector<float>& with_key(const KeyWindow& window, const Samples& samples, int key);

  double share_;
  std::vector<std::int32_t> positions_;
  std::vector<float> samples_;
};

/// The four images that are left when every second row and column of a frame is taken, as keys.
class SubsampledKeys {
 public:
  /// For frames of rows × columns.
  void resize(std::int64_t rows, std::int64_t columns);
  /// Takes the keys of row `row`.
  void set_row(std::int64_t row, const Key* keys);
  /// Copies every second key of every second row of the rectangle, the first of both included, to `out`,
  /// filled up to whole blocks; returns how many.
  std::int64_t gather(Interval rows, Interval columns, Key* out) const;

 private:
  Key* line(std::int64_t row, std::int64_t odd_column) const noexcept {
    return keys_ + (row * 2 + odd_column) * stride_;
  }
  KeyMemory memory_;
  Key* keys_ = nullptr;
  std::int64_t columns_ = 0, stride_ = 0;
};

/// What to estimate, on which windows.
struct GridSettings {
  double percentile = 0.25;  ///< as a share, 0 to 1
  std::int64_t artifact_length = 150;
  std::int64_t background_window = 200;
};

/// Percentiles along the rows and around the grid points of one frame; scratch memory is kept from frame to
/// frame. [one thread at a time]
class PercentileGrid {
 public:
  static constexpr std::int64_t kBackgroundSpacing = 25;
  static constexpr std::int64_t kBackgroundStep = 2;

  explicit PercentileGrid(const GridSettings& settings)
      : settings_(settings), percentile_(settings.percentile) {}

  /// Estimates both for `frame`. Throws Error for samples that cannot be used.
  void estimate(ImageView<const float> frame);

  /// The samples of the last frame were whole numbers, so that estimates along rows are as well.
  bool whole() const noexcept { return whole_; }
  const WindowAxis& stripe_axis() const noexcept { return stripe_axis_; }
  const WindowAxis& background_rows() const noexcept { return background_rows_; }
  const WindowAxis& background_columns() const noexcept { return background_columns_; }
  /// stripe_axis().count() values.
  const float* stripes_of_row(std::int64_t row) const noexcept {
    return stripes_.data() + row * stripe_axis_.count();
  }
  /// background_columns().count() values of row `i` of the grid.
  const float* background(std::int64_t i) const noexcept {
    return background_.data() + i * background_columns_.count();
  }

 private:
  void estimate_stripes(ImageView<const float> frame, const KeyScale& scale);
  void estimate_background(ImageView<const float> frame, const KeyScale& scale);

  GridSettings settings_;
  WindowPercentile percentile_;
  WindowAxis stripe_axis_, background_rows_, background_columns_;
  bool whole_ = false;
  std::vector<float> stripes_, background_;
  KeyMemory row_memory_, window_memory_;
  SubsampledKeys subsampled_;
};

}  // namespace spim::lightsheet
