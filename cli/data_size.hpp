#pragma once
/// Amounts of data as disks and the progress show them. Memory is shown in the units of --memory: values.hpp.

#include <cstdint>
#include <string>

namespace spim::cli {

std::string format_data(std::int64_t bytes);  ///< "3.4 GB": 10⁹ bytes

}  // namespace spim::cli
