#pragma once
/// The order in which a sweep visits chunks.

#include <cstdint>
#include <vector>

#include "spim/host/volume_source.hpp"
#include "spim/volume_writer.hpp"

namespace spim::detail {

/// Half-open range of chunk indices in y and z; x is always whole.
struct Lane {
  std::int64_t y_begin = 0, y_end = 0;
  std::int64_t z_begin = 0, z_end = 0;
};

/// One column of chunks along y.
struct Column {
  std::int64_t x = 0, z = 0;  ///< chunk indices
  friend bool operator==(const Column&, const Column&) = default;
};

/// Chunks of a lane, sorted by the frame they start at, k = direction·(x − shear·z). A step takes one chunk
/// length of k: one chunk of each z, so that a source which keeps what the last step needed reads everything
/// once.
class Wavefront {
 public:
  Wavefront(const VolumeSpec& spec, const ValidRegion& region, const Lane& lane);

  /// Columns of each step; steps without columns are left out. Sorted by z.
  const std::vector<std::vector<Column>>& steps() const noexcept { return steps_; }

  /// Number of the step that a column of the lane is in, counting those without columns; rises or falls with
  /// z, and by one with each x.
  std::int64_t step_of(const Column& column) const noexcept {
    return first_step_[static_cast<std::size_t>(column.z - z_begin_)] + sign_ * column.x;
  }
  /// Steps, counting those without columns.
  std::int64_t step_count() const noexcept { return step_count_; }

 private:
  std::int64_t z_begin_ = 0;
  std::int64_t sign_ = 1;
  std::vector<std::int64_t> first_step_;  ///< of each z, at x = 0
  std::int64_t step_count_ = 0;
  std::vector<std::vector<Column>> steps_;
};

/// Voxels of `column` over the rows of `lane`, clipped to the shape.
Box column_box(const VolumeSpec& spec, const Lane& lane, const Column& column) noexcept;

/// All voxels of `lane`, not clipped to the shape.
Box lane_box(const VolumeSpec& spec, const Lane& lane) noexcept;

/// One box for each column of a step that may hold data.
std::vector<Box> step_boxes(const VolumeSource& source, const VolumeSpec& spec, const Lane& lane,
                            const std::vector<Column>& step);

/// The boxes of both.
std::vector<Box> joined(const std::vector<Box>& a, const std::vector<Box>& b);

}  // namespace spim::detail
