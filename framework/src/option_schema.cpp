#include <cmath>
#include <nlohmann/json.hpp>

#include "spim/host/option_table.hpp"
#include "words.hpp"

namespace spim {
namespace {

using nlohmann::ordered_json;

/// A limit as a JSON number without a fraction where the option is an integer.
ordered_json limit(const OptionSpec& option, double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (option.type == OptionType::integer && std::abs(value) <= kExact)
    return static_cast<std::int64_t>(value);
  return value;
}

ordered_json property(const OptionSpec& option) {
  const CompletedOptions defaults = complete_options({&option, 1}, {}, "schema");
  const OptionValue& value = defaults.values().front();
  ordered_json result;
  switch (option.type) {
    case OptionType::boolean:
      result = {{"type", "boolean"}, {"default", value.boolean}};
      break;
    case OptionType::integer:
      result = {{"type", "integer"}, {"default", value.integer}};
      break;
    case OptionType::number:
      result = {{"type", "number"}, {"default", value.number}};
      break;
    case OptionType::text:
      result = {{"type", "string"}, {"default", value.text}};
      if (option.choices[0] != '\0') result["enum"] = split(option.choices, '|');
      break;
  }
  if (std::isfinite(option.minimum)) result["minimum"] = limit(option, option.minimum);
  if (std::isfinite(option.maximum)) result["maximum"] = limit(option, option.maximum);
  result["description"] = option.help;
  return result;
}

}  // namespace

std::string option_schema(OptionTable table, std::string_view title) {
  ordered_json properties = ordered_json::object();
  for (const OptionSpec& option : table) properties[option.name] = property(option);
  const ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                               {"title", title},
                               {"type", "object"},
                               {"properties", properties},
                               {"additionalProperties", false}};
  return schema.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace spim
