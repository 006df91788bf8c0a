#pragma once
/// Options are data: one table per implementation gives parsing, defaults, validation, help, docs and JSON
/// Schema.

#include <cstdint>
#include <string_view>

#include "spim/error.hpp"

namespace spim {

enum class OptionType : std::uint32_t { boolean = 1, integer = 2, number = 3, text = 4 };

/// One option of one implementation. All pointers are to static storage.
struct OptionSpec {
  const char* name;  ///< lower case, words joined by '-', without leading dashes
  OptionType type;
  const char* default_value;  ///< as text, e.g. "5", "true"; "" is allowed for text only
  const char* help;           ///< one sentence, no full stop; says the unit
  const char* choices;        ///< "a|b|c" for text, or "" for any
  double minimum;             ///< inclusive, for integer and number; -inf for none
  double maximum;             ///< inclusive, for integer and number; +inf for none
};

inline constexpr double kNoLimit = __builtin_inf();

constexpr OptionSpec boolean_option(const char* name, const char* default_value, const char* help) {
  return {name, OptionType::boolean, default_value, help, "", -kNoLimit, kNoLimit};
}
constexpr OptionSpec integer_option(const char* name, const char* default_value, double minimum,
                                    double maximum, const char* help) {
  return {name, OptionType::integer, default_value, help, "", minimum, maximum};
}
constexpr OptionSpec number_option(const char* name, const char* default_value, double minimum,
                                   double maximum, const char* help) {
  return {name, OptionType::number, default_value, help, "", minimum, maximum};
}
constexpr OptionSpec text_option(const char* name, const char* default_value, const char* help) {
  return {name, OptionType::text, default_value, help, "", -kNoLimit, kNoLimit};
}
constexpr OptionSpec choice_option(const char* name, const char* default_value, const char* choices,
                                   const char* help) {
  return {name, OptionType::text, default_value, help, choices, -kNoLimit, kNoLimit};
}

/// A completed, validated value. `text` always holds the value as text; the field of the type is set as well.
struct OptionValue {
  const char* name;
  OptionType type;
  bool boolean;
  std::int64_t integer;
  double number;
  const char* text;
};

/// The completed options of one instance, one value per row of its table. Borrowed: valid during the
/// constructor only; copy what you keep.
struct Options {
  const OptionValue* values = nullptr;
  std::uint32_t count = 0;

  bool boolean(std::string_view name) const { return find(name, OptionType::boolean).boolean; }
  std::int64_t integer(std::string_view name) const { return find(name, OptionType::integer).integer; }
  double number(std::string_view name) const { return find(name, OptionType::number).number; }
  std::string_view text(std::string_view name) const { return find(name, OptionType::text).text; }

 private:
  const OptionValue& find(std::string_view name, OptionType type) const {
    for (std::uint32_t i = 0; i < count; ++i)
      if (values[i].name == name && values[i].type == type) return values[i];
    throw Error("an option was asked for that is not in the plugin's own table, or with another type");
  }
};

}  // namespace spim
