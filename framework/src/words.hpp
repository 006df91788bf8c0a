#pragma once
/// Small tools for names and for text that others wrote.

#include <string>
#include <string_view>
#include <vector>

namespace spim {

/// True for lower-case letters, digits and '-', not empty and not beginning with '-'.
bool is_word(std::string_view text) noexcept;

/// `text` as one line that is safe to show: control characters become spaces.
std::string printable(std::string_view text);

/// The parts of `text` between `separator`; none for an empty text.
std::vector<std::string> split(std::string_view text, char separator);

}  // namespace spim
