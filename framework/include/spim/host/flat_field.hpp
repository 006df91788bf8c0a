#pragma once
/// The illumination profile that frames are divided by.

#include <cstdint>
#include <string>
#include <vector>

namespace spim {

/// F = profile / max(profile): 1 where the sheet is brightest, float32, rows y by columns x_cam of an
/// oriented frame. Immutable.
class FlatField {
 public:
  /// `samples` are rows·columns grey levels of any scale; `name` is what messages call them. Throws Error
  /// when the number of samples is another one, or when a sample is not a number above 0: a pixel cannot be
  /// divided by it.
  FlatField(std::vector<float> samples, std::int64_t rows, std::int64_t columns, std::string name);

  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t columns() const noexcept { return columns_; }
  const std::string& name() const noexcept { return name_; }
  const float* row(std::int64_t y) const noexcept { return samples_.data() + y * columns_; }

 private:
  std::vector<float> samples_;
  std::int64_t rows_, columns_;
  std::string name_;
};

}  // namespace spim
