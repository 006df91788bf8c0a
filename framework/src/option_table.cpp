#include "spim/host/option_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "spim/host/nearest.hpp"
#include "words.hpp"

namespace spim {
namespace {

std::optional<bool> parse_boolean(std::string_view text) {
  for (const char* word : {"true", "yes", "on", "1"})
    if (text == word) return true;
  for (const char* word : {"false", "no", "off", "0"})
    if (text == word) return false;
  return std::nullopt;
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_floating_point_v<T>)
    if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::vector<std::string> choices_of(const OptionSpec& option) {
  return split(option.choices, '|');
}

/// True when `text` is a value of `option`; fills everything of `value` but its text pointer, and brings
/// `text` into its canonical form.
bool parse_value(const OptionSpec& option, std::string& text, OptionValue& value) {
  switch (option.type) {
    case OptionType::boolean: {
      const auto parsed = parse_boolean(text);
      if (!parsed) return false;
      value.boolean = *parsed;
      text = *parsed ? "true" : "false";
      return true;
    }
    case OptionType::integer: {
      const auto parsed = parse_number<std::int64_t>(text);
      // long double holds every int64 exactly; double does not.
      if (!parsed || static_cast<long double>(*parsed) < option.minimum ||
          static_cast<long double>(*parsed) > option.maximum)
        return false;
      value.integer = *parsed;
      text = fmt::format("{}", *parsed);
      return true;
    }
    case OptionType::number: {
      const auto parsed = parse_number<double>(text);
      if (!parsed || *parsed < option.minimum || *parsed > option.maximum) return false;
      value.number = *parsed;
      text = fmt::format("{}", *parsed);
      return true;
    }
    case OptionType::text: {
      if (text.find('\0') != std::string::npos) return false;
      const auto choices = choices_of(option);
      return choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end();
    }
  }
  return false;
}

std::string limits(const OptionSpec& option) {
  const bool lower = option.minimum > -kNoLimit;
  const bool upper = option.maximum < kNoLimit;
  if (lower && upper) return fmt::format(" from {} to {}", option.minimum, option.maximum);
  if (lower) return fmt::format(" of at least {}", option.minimum);
  if (upper) return fmt::format(" of at most {}", option.maximum);
  return "";
}

/// What is wrong with one row, without its name; "" when sound.
std::string row_fault(const OptionSpec& option) {
  switch (option.type) {
    case OptionType::boolean:
    case OptionType::integer:
    case OptionType::number:
    case OptionType::text:
      break;
    default:
      return fmt::format("has the unknown type {}", static_cast<std::uint32_t>(option.type));
  }
  if (!option.default_value || !option.help || !option.choices) return "has a null text";
  if (option.help[0] == '\0') return "has no help";
  if (std::isnan(option.minimum) || std::isnan(option.maximum) || option.minimum > option.maximum)
    return fmt::format("has the limits {} to {}", option.minimum, option.maximum);
  if (option.choices[0] != '\0' && option.type != OptionType::text)
    return "has choices but is not of type text";
  const auto choices = choices_of(option);
  if (std::find(choices.begin(), choices.end(), "") != choices.end()) return "has an empty choice";
  if (std::set<std::string>(choices.begin(), choices.end()).size() != choices.size())
    return "has the same choice twice";
  OptionValue value{};
  std::string text = option.default_value;
  if (!parse_value(option, text, value))
    return fmt::format("has the default '{}', which is not {}", option.default_value, expected_value(option));
  return "";
}

}  // namespace

std::string expected_value(const OptionSpec& option) {
  switch (option.type) {
    case OptionType::boolean:
      return "true or false";
    case OptionType::integer:
      return "an integer" + limits(option);
    case OptionType::number:
      return "a number" + limits(option);
    case OptionType::text:
      break;
  }
  const auto choices = choices_of(option);
  return choices.empty() ? "a text" : fmt::format("one of {}", fmt::join(choices, ", "));
}

OptionTexts CompletedOptions::texts() const {
  OptionTexts result;
  for (const OptionValue& value : values_) result[value.name] = value.text;
  return result;
}

CompletedOptions complete_options(OptionTable table, const OptionTexts& given, std::string_view owner) {
  std::vector<std::string> known;
  known.reserve(table.size());
  for (const OptionSpec& option : table) known.emplace_back(option.name);
  for (const auto& [name, text] : given)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UsageError(fmt::format("{} has no option '{}'; {}", owner, name, nearest_hint(name, known)));

  CompletedOptions result;
  result.texts_.reserve(table.size());  // the values point into it
  for (const OptionSpec& option : table) {
    const auto it = given.find(option.name);
    std::string text = it != given.end() ? it->second : option.default_value;
    OptionValue value{option.name, option.type, false, 0, 0, nullptr};
    if (!parse_value(option, text, value)) {
      std::string message = fmt::format("option {} of {} is '{}'; it must be {}", option.name, owner,
                                        printable(text), expected_value(option));
      if (option.type == OptionType::text && option.choices[0] != '\0')
        message += fmt::format(", the nearest is '{}'", nearest_word(text, choices_of(option)));
      throw UsageError(message);
    }
    result.texts_.push_back(std::move(text));
    value.text = result.texts_.back().c_str();
    result.values_.push_back(value);
  }
  return result;
}

std::string option_table_fault(OptionTable table) {
  constexpr std::size_t kMostOptions = 256;
  if (table.size() > kMostOptions)
    return fmt::format("there are {} options, the limit is {}", table.size(), kMostOptions);
  if (!table.empty() && !table.data()) return "the table of options is null";
  std::set<std::string> names;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char* name = table[i].name;
    if (!name || !is_word(name))
      return fmt::format("option {} has the name '{}', which must be lower-case letters, digits and '-'", i,
                         name ? printable(name) : "");
    if (!names.insert(name).second) return fmt::format("there are two options called '{}'", name);
    if (const std::string fault = row_fault(table[i]); !fault.empty())
      return fmt::format("option {} {}", name, fault);
  }
  return "";
}

std::string option_help(OptionTable table, std::string_view indent) {
  std::string result;
  for (const OptionSpec& option : table) {
    const std::string shown = option.default_value[0] == '\0'
                                  ? "empty by default"
                                  : fmt::format("default {}", option.default_value);
    result += fmt::format("{}{}: {}\n{}    {}; {}\n", indent, option.name, option.help, indent,
                          expected_value(option), shown);
  }
  return result;
}

}  // namespace spim
