#include "values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "spim/error.hpp"
#include "spim/host/nearest.hpp"

namespace spim::cli {

namespace {

template <class T>
bool parse_whole(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::int64_t parse_integer(std::string_view text) {
  std::int64_t value = 0;
  if (!parse_whole(text, value)) throw UsageError(fmt::format("\"{}\" is not a whole number", text));
  return value;
}

double parse_number(std::string_view text) {
  double value = 0;
  if (!parse_whole(text, value) || !std::isfinite(value))
    throw UsageError(fmt::format("\"{}\" is not a number", text));
  return value;
}

bool parse_boolean(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "0" || word == "no" || word == "off") return false;
  throw UsageError(fmt::format("\"{}\" is neither true nor false", text));
}

Index3 parse_triple(std::string_view text) {
  const std::vector<std::string> parts = split(text, ',');
  if (parts.size() != 3) throw UsageError(fmt::format("\"{}\" is not three whole numbers x,y,z", text));
  return {parse_integer(parts[0]), parse_integer(parts[1]), parse_integer(parts[2])};
}

std::int64_t parse_bytes(std::string_view text) {
  std::string_view digits = text;
  if (lower(digits).ends_with("ib"))
    digits.remove_suffix(2);
  else if (lower(digits).ends_with("b"))
    digits.remove_suffix(1);
  double factor = 1;
  if (!digits.empty()) {
    const auto unit = std::string_view("kmgt").find(lower(digits.substr(digits.size() - 1)));
    if (unit != std::string_view::npos) {
      factor = std::pow(1024.0, static_cast<double>(unit) + 1);
      digits.remove_suffix(1);
    }
  }
  double value = 0;
  if (!parse_whole(digits, value) || !(value > 0) || value * factor >= 9e18)
    throw UsageError(fmt::format("\"{}\" is not a size such as 512M or 4G", text));
  return static_cast<std::int64_t>(value * factor);
}

std::string format_bytes(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; std::abs(value) >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string format_triple(Index3 v) {
  return fmt::format("{},{},{}", v.x, v.y, v.z);
}

std::string format_number(double v) {
  return fmt::format("{}", v);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = nearest_word(word, known);
  // Words that share so little are not what was meant.
  const auto shared =
      std::ranges::count_if(word, [&](char c) { return nearest.find(c) != std::string::npos; });
  if (nearest.empty() || 2 * static_cast<std::size_t>(shared) < word.size()) return "";
  return fmt::format("; did you mean {}?", nearest);
}

}  // namespace spim::cli
