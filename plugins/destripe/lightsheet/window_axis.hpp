#pragma once
/// Where windows lie along one axis of a frame, and how values found in them are spread over it.

#include <algorithm>
#include <cstdint>

namespace spim::lightsheet {

/// Samples [begin, end) of an axis.
struct Interval {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const noexcept { return end - begin; }
};

/// `size` samples around each centre, and the distance of the centres.
struct Windows {
  std::int64_t size = 1, spacing = 1;
};

/// Windows along an axis of `extent` samples: as many centres as whole spacings fit, at least one, placed
/// symmetrically. A window that reaches beyond the axis is cut there.
class WindowAxis {
 public:
  WindowAxis() = default;
  WindowAxis(std::int64_t extent, Windows windows) noexcept
      : extent_(extent),
        windows_(windows),
        count_(std::max<std::int64_t>(1, extent / windows.spacing)),
        // An axis shorter than the spacing has its only centre in the middle and a window that may be as
        // long.
        first_(extent < windows.spacing ? extent / 2 : (extent - (count_ - 1) * windows.spacing) / 2) {}

  std::int64_t extent() const noexcept { return extent_; }
  std::int64_t count() const noexcept { return count_; }

  Interval window(std::int64_t i) const noexcept {
    const std::int64_t begin = first_ + i * windows_.spacing - windows_.size / 2;
    return {std::max<std::int64_t>(0, begin), std::min(extent_, begin + windows_.size)};
  }

  /// The first sample at or behind window i's place when the windows are spread from the first sample of the
  /// axis to the last; `extent` for i = count.
  std::int64_t place(std::int64_t i) const noexcept {
    if (i == 0) return 0;
    if (i >= count_) return extent_;
    return (i * (extent_ - 1) + count_ - 2) / (count_ - 1);
  }

  /// The window at or before sample `at` in that sense, at most count - 2, and how far `at` is on the way to
  /// the next one, 0 to 1.
  std::int64_t before(std::int64_t at) const noexcept {
    return count_ < 2 ? 0 : std::min(count_ - 2, at * (count_ - 1) / (extent_ - 1));
  }
  double weight(std::int64_t at) const noexcept {
    if (count_ < 2) return 0;
    return static_cast<double>(at * (count_ - 1) - before(at) * (extent_ - 1)) /
           static_cast<double>(extent_ - 1);
  }

 private:
  std::int64_t extent_ = 0;
  Windows windows_;
  std::int64_t count_ = 0, first_ = 0;
};

}  // namespace spim::lightsheet
