#pragma once
/// Options that hold one whole number per axis.

#include <string_view>

#include "spim/geometry.hpp"
#include "spim/options.hpp"

namespace spim::alignment {

/// What is allowed for each of the three numbers.
struct TripleLimits {
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  bool odd = false;
};

/// The option `name`, "x,y,z" or one number for all axes. Throws UsageError that names the option, what was
/// given and the limits.
Index3 triple(const Options& options, std::string_view name, const TripleLimits& limits);

}  // namespace spim::alignment
