#include "common/json_fields.hpp"

#include <fmt/format.h>

#include "spim/error.hpp"

namespace spim::chunked {

JsonFields::JsonFields(const nlohmann::json& object, const std::string& subject)
    : object_(object), subject_(subject) {
  if (!object.is_object())
    throw Error(fmt::format("{} holds a JSON {} where an object is expected", subject, object.type_name()));
}

bool JsonFields::has(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

const nlohmann::json& JsonFields::member(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) throw Error(fmt::format("{} has no member \"{}\"", subject_, key));
  return *found;
}

std::int64_t JsonFields::integer(const char* key, std::int64_t minimum, std::int64_t maximum) const {
  std::int64_t out = 0;
  if (!get_integer(member(key), minimum, maximum, out))
    fail(key, fmt::format("an integer from {} to {}", minimum, maximum));
  return out;
}

const std::string& JsonFields::text(const char* key) const {
  const auto& value = member(key);
  if (!value.is_string()) fail(key, "a text");
  return value.get_ref<const std::string&>();
}

const nlohmann::json& JsonFields::array(const char* key) const {
  const auto& value = member(key);
  if (!value.is_array()) fail(key, "an array");
  return value;
}

void JsonFields::fail(const char* key, std::string_view expected) const {
  // The value itself may be anything: show the start of it only, with bytes that are not UTF-8 replaced.
  constexpr std::size_t kShown = 60;
  std::string value = member(key).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (value.size() > kShown) value = value.substr(0, kShown) + "...";
  throw Error(fmt::format("{} has \"{}\": {}; {} is expected", subject_, key, value, expected));
}

nlohmann::json parse_json_object(std::string_view text, const std::string& subject) {
  // What shows or copies a value calls itself for each level of it, and the stack is finite.
  constexpr int kDeepest = 100;
  const auto not_too_deep = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kDeepest)
      throw Error(fmt::format("{} nests values more than {} deep, as no metadata does", subject, kDeepest));
    return true;
  };
  nlohmann::json document;
  try {
    document = nlohmann::json::parse(text, not_too_deep);
  } catch (const nlohmann::json::parse_error& e) {
    throw Error(fmt::format("{} is not valid JSON (at byte {} of {})", subject, e.byte, text.size()));
  } catch (const nlohmann::json::exception&) {
    throw Error(fmt::format("{} holds a number that is too large", subject));
  }
  if (!document.is_object())
    throw Error(fmt::format("{} holds a JSON {} where an object is expected", subject, document.type_name()));
  return document;
}

bool get_integer(const nlohmann::json& value, std::int64_t minimum, std::int64_t maximum, std::int64_t& out) {
  if (value.is_number_unsigned()) {
    const auto v = value.get<std::uint64_t>();
    if (v > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
    out = static_cast<std::int64_t>(v);
  } else if (value.is_number_integer()) {
    out = value.get<std::int64_t>();
  } else {
    return false;
  }
  return out >= minimum && out <= maximum;
}

}  // namespace spim::chunked
