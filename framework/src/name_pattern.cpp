#include "spim/host/name_pattern.hpp"

#include <fmt/format.h>

#include <cctype>

#include "spim/error.hpp"

namespace spim {

NamePattern::NamePattern(std::string_view pattern) {
  const auto refuse = [&](std::string_view why) {
    throw UsageError(fmt::format("the pattern {} {}; give one like img_%05d.tiff", pattern, why));
  };
  bool found = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    std::string& text = found ? after_ : before_;
    if (pattern[i] != '%') {
      text += pattern[i];
      continue;
    }
    if (pattern.substr(i + 1).starts_with('%')) {
      text += pattern[++i];
      continue;
    }
    if (found) refuse("has more than one number");
    found = true;
    if (pattern.substr(i + 1).starts_with('0')) zeros_ = true, ++i;
    while (i + 1 < pattern.size() && std::isdigit(static_cast<unsigned char>(pattern[i + 1])) != 0)
      width_ = width_ * 10 + (pattern[++i] - '0') > 100 ? 101 : width_ * 10 + (pattern[i] - '0');
    if (width_ > 100) refuse("has a number of more than 100 digits");
    if (!pattern.substr(i + 1).starts_with('d'))
      refuse("has a percent sign that is not part of %d, %5d or %05d");
    ++i;
  }
  if (!found) refuse("has no number, so that all frames would have one name");
}

std::string NamePattern::name(std::int64_t number) const {
  return before_ + (zeros_ ? fmt::format("{:0{}}", number, width_) : fmt::format("{:{}}", number, width_)) +
         after_;
}

}  // namespace spim
