#pragma once
/// Values as users type them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spim/geometry.hpp"

namespace spim::cli {

/// Each throws UsageError with the value and what was expected, without naming the option.
std::int64_t parse_integer(std::string_view text);
double parse_number(std::string_view text);
bool parse_boolean(std::string_view text);
Index3 parse_triple(std::string_view text);       ///< "x,y,z"
std::int64_t parse_bytes(std::string_view text);  ///< "512M", "4G", "1.5g", "1000000"

std::string format_bytes(std::int64_t bytes);  ///< "3.2 GiB"
std::string format_triple(Index3 v);           ///< "x,y,z"
std::string format_number(double v);           ///< shortest text that reads back as the same number

std::string lower(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
/// "; did you mean X?" with the word of `known` that is nearest to `word`, or "" when none is near enough.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace spim::cli
