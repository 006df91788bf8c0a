#include "help_text.hpp"

#include <vector>

#include "values.hpp"

namespace spim::cli {

namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kColumn = 30;

/// Characters of UTF-8 text: bytes that continue a character do not count.
std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return width;
}

/// `text` in lines of at most `width` characters.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  for (const std::string& word : split(text, ' ')) {
    if (!lines.back().empty() && width_of(lines.back()) + 1 + width_of(word) > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
  }
  return lines;
}

}  // namespace

void HelpText::paragraph(std::string_view text) {
  if (!text_.empty()) text_ += '\n';
  for (const std::string& part : split(text, '\n'))
    for (const std::string& line : wrapped(part, kWidth)) text_ += line + '\n';
}

void HelpText::title(std::string_view text) {
  text_ += '\n';
  text_ += text;
  text_ += ":\n";
}

void HelpText::entry(std::string_view left, std::string_view right) {
  std::string line = "  ";
  line += left;
  if (width_of(line) + 2 > kColumn) {
    text_ += line + '\n';
    line.clear();
  }
  for (const std::string& part : wrapped(right, kWidth - kColumn)) {
    line.append(kColumn - std::min(kColumn, width_of(line)), ' ');
    text_ += line + part + '\n';
    line.clear();
  }
}

}  // namespace spim::cli
