#pragma once
/// Completed options of a plugin class from its own table, for tests that create it without the registry.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "spim/options.hpp"

namespace spim::test {

/// The defaults of `table` with `given` in place of some. Lives at least as long as what options() returns.
class TableOptions {
 public:
  explicit TableOptions(std::span<const OptionSpec> table, std::map<std::string, std::string> given = {})
      : given_(std::move(given)) {
    for (const OptionSpec& row : table) {
      const auto found = given_.find(row.name);
      const char* text = found == given_.end() ? row.default_value : found->second.c_str();
      OptionValue value{row.name, row.type, std::string_view(text) == "true", 0, 0, text};
      if (row.type == OptionType::integer) value.integer = std::stoll(text);
      if (row.type == OptionType::number) value.number = std::stod(text);
      values_.push_back(value);
    }
  }
  TableOptions(const TableOptions&) = delete;
  TableOptions& operator=(const TableOptions&) = delete;

  Options options() const { return {values_.data(), static_cast<std::uint32_t>(values_.size())}; }

 private:
  std::map<std::string, std::string> given_;
  std::vector<OptionValue> values_;
};

}  // namespace spim::test
