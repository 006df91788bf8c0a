#pragma once
/// What a message about an unknown word says of the known ones.

#include <string>
#include <string_view>
#include <vector>

namespace spim {

/// The word of `known` with the fewest edits to `word` (insert, delete, replace, swap neighbours); "" if none
/// is known. The first of equals wins.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

/// The end of a message about the unknown `word`: "the nearest is 'a' (known: a, b, c)" or "none is known".
std::string nearest_hint(std::string_view word, const std::vector<std::string>& known);

}  // namespace spim
