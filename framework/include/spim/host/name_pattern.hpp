#pragma once
/// Names of numbered files, e.g. "img_%05d.tiff".

#include <cstdint>
#include <string>
#include <string_view>

namespace spim {

/// A text with one number in it, as printf and Python write them: %d, %5d, %05d; %% is a percent sign.
class NamePattern {
 public:
  /// Throws UsageError when the pattern has no number or several, or something else behind a percent sign.
  explicit NamePattern(std::string_view pattern);

  std::string name(std::int64_t number) const;

 private:
  std::string before_, after_;
  int width_ = 0;
  bool zeros_ = false;
};

}  // namespace spim
