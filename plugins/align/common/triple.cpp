#include "common/triple.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace spim::alignment {

namespace {

/// The whole numbers in `text`, separated by commas; empty when there is anything else in it.
std::vector<std::int64_t> numbers(std::string_view text) {
  std::vector<std::int64_t> found;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc()) return {};
    found.push_back(value);
    if (stop == end) return found;
    if (*stop != ',') return {};
    at = stop + 1;
  }
}

}  // namespace

Index3 triple(const Options& options, std::string_view name, const TripleLimits& limits) {
  const std::string_view text = options.text(name);
  std::vector<std::int64_t> given = numbers(text);
  if (given.size() == 1) given.assign(3, given.front());
  const auto allowed = [&](std::int64_t v) {
    return v >= limits.minimum && v <= limits.maximum && (!limits.odd || v % 2 != 0);
  };
  if (given.size() != 3 || !std::all_of(given.begin(), given.end(), allowed))
    throw UsageError(fmt::format("{} is \"{}\"; it must be x,y,z in voxels, each an {} number from {} to {}",
                                 name, text, limits.odd ? "odd" : "integer", limits.minimum, limits.maximum));
  return {given[0], given[1], given[2]};
}

}  // namespace spim::alignment
