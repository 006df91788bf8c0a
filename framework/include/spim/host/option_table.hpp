#pragma once
/// Everything that follows from an option table: completion, validation, help and JSON Schema.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spim/options.hpp"
#include "spim/plugin.hpp"

namespace spim {

using OptionTable = std::span<const OptionSpec>;

/// Options as a user gave them: name to text.
using OptionTexts = std::map<std::string, std::string>;

inline OptionTable table_of(const ItemSpec& item) {
  return {item.options, item.option_count};
}

/// One value per row of a table, with the storage of its text. Moving keeps the values valid.
class CompletedOptions {
 public:
  CompletedOptions() = default;
  CompletedOptions(CompletedOptions&&) noexcept = default;
  CompletedOptions& operator=(CompletedOptions&&) noexcept = default;

  /// Borrowed from this object; the names are borrowed from the table.
  Options view() const noexcept { return {values_.data(), static_cast<std::uint32_t>(values_.size())}; }
  const std::vector<OptionValue>& values() const noexcept { return values_; }
  OptionTexts texts() const;

 private:
  friend CompletedOptions complete_options(OptionTable table, const OptionTexts& given,
                                           std::string_view owner);
  std::vector<std::string> texts_;
  std::vector<OptionValue> values_;
};

/// The options that were `given`, checked against `table`, and the defaults of the others. Integers, numbers
/// and booleans get one canonical text. `owner` is named in messages, e.g. "writer blockfs". Throws
/// UsageError that names the option, the value and its limits, or for an unknown option the nearest known
/// one.
CompletedOptions complete_options(OptionTable table, const OptionTexts& given, std::string_view owner);

/// What is wrong with the table itself (a name, a default, limits, help, choices), or "" when it is sound.
std::string option_table_fault(OptionTable table);

/// What values an option takes, e.g. "an integer from 1 to 512" or "one of zstd, lz4".
std::string expected_value(const OptionSpec& option);

/// The table for people: one paragraph per option, each line begun with `indent`; "" for an empty table.
std::string option_help(OptionTable table, std::string_view indent);

/// The table as a JSON Schema (draft 2020-12) of an object with one property per option, as JSON text.
std::string option_schema(OptionTable table, std::string_view title);

}  // namespace spim
