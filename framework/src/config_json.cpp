#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "durable.hpp"
#include "spim/host/config.hpp"
#include "spim/host/nearest.hpp"
#include "words.hpp"

namespace spim {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

/// Reads the parts of a document; every message begins with the file and the place.
class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  ordered_json document(std::string_view text) const {
    // The parser takes the last of equal keys without a word.
    std::vector<std::set<std::string>> keys;
    const auto no_key_twice = [&](int, ordered_json::parse_event_t event, ordered_json& value) {
      if (event == ordered_json::parse_event_t::object_start) keys.emplace_back();
      if (event == ordered_json::parse_event_t::object_end) keys.pop_back();
      if (event == ordered_json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
        refuse("", fmt::format("has the key '{}' twice", printable(value.get<std::string>())));
      return true;
    };
    try {
      return ordered_json::parse(text, no_key_twice);
    } catch (const ordered_json::parse_error& e) {
      std::string_view what = e.what();
      const std::string_view prefix = "parse error at ";
      if (const auto at = what.find(prefix); at != std::string_view::npos)
        what.remove_prefix(at + prefix.size());
      throw UsageError(fmt::format("{} is not JSON: {}", source_, printable(what)));
    } catch (const ordered_json::exception&) {
      throw UsageError(fmt::format("{} holds a number that is too large", source_));
    }
  }

  [[noreturn]] void refuse(const std::string& place, const std::string& what) const {
    throw UsageError(fmt::format("{}{}{} {}", source_, place.empty() ? "" : ": ", place, what));
  }

  void expect_object(const ordered_json& value, const std::string& place) const {
    if (!value.is_object())
      refuse(place, fmt::format("is of type {}; it must be an object", value.type_name()));
  }

  void expect_keys(const ordered_json& object, const std::string& place,
                   const std::vector<std::string>& known) const {
    expect_object(object, place);
    for (const auto& [key, value] : object.items())
      if (std::find(known.begin(), known.end(), key) == known.end())
        refuse(place, fmt::format("has the unknown key '{}'; {}{}", printable(key), nearest_hint(key, known),
                                  place.empty() ? "; options of the command belong into \"options\"" : ""));
  }

  std::string text(const ordered_json& object, const char* key, const std::string& place) const {
    const auto it = object.find(key);
    if (it == object.end()) return "";
    if (!it->is_string())
      refuse(place + "/" + key, fmt::format("is of type {}; it must be a text", it->type_name()));
    return it->get<std::string>();
  }

  OptionTexts options(const ordered_json& object, const std::string& place) const {
    OptionTexts result;
    const auto it = object.find("options");
    if (it == object.end()) return result;
    expect_object(*it, place + "/options");
    for (const auto& [name, value] : it->items())
      result[name] = value_text(value, place + "/options/" + name);
    return result;
  }

 private:
  std::string value_text(const ordered_json& value, const std::string& place) const {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value.is_number_float()) return fmt::format("{}", value.get<double>());
    if (value.is_number()) return value.dump();
    if (!value.is_array() || value.empty())
      refuse(place, fmt::format("is of type {}; it must be a text, a number, a boolean or an array of them",
                                value.type_name()));
    std::string result;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i].is_structured()) refuse(place, "is an array that holds more than values; make it flat");
      if (i > 0) result += ',';
      result += value_text(value[i], place);
    }
    return result;
  }

  const std::string& source_;
};

/// A boolean or a number where `text` is exactly how parse_configuration() would read it back, else a text.
ordered_json value_of(const std::string& text) {
  if (text == "true") return true;
  if (text == "false") return false;
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto parsed = std::from_chars(text.data(), end, integer);
      parsed.ec == std::errc() && parsed.ptr == end && fmt::format("{}", integer) == text)
    return integer;
  double number = 0;
  if (const auto parsed = std::from_chars(text.data(), end, number);
      parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(number) &&
      fmt::format("{}", number) == text)
    return number;
  return text;
}

ordered_json values_of(const OptionTexts& options) {
  ordered_json result = ordered_json::object();
  for (const auto& [name, text] : options) result[name] = value_of(text);
  return result;
}

[[noreturn]] void fail(const fs::path& file, const char* what) {
  throw Error(fmt::format("{} {}: {}", file.string(), what, std::strerror(errno)));
}

}  // namespace

Configuration parse_configuration(std::string_view json, const std::string& source) {
  const Reader reader(source);
  const ordered_json document = reader.document(json);
  std::vector<std::string> sections = {"spimstitch", "command", "options", "sources"};
  for (const Kind kind : kAllKinds) sections.emplace_back(kind_word(kind));
  reader.expect_keys(document, "", sections);

  Configuration result;
  result.version = reader.text(document, "spimstitch", "");
  result.command = reader.text(document, "command", "");
  result.options = reader.options(document, "");
  for (const Kind kind : kAllKinds) {
    const std::string word(kind_word(kind));
    const auto section = document.find(word);
    if (section == document.end()) continue;
    reader.expect_keys(*section, "/" + word, {"id", "options"});
    result.selections.of(kind) = {reader.text(*section, "id", "/" + word),
                                  reader.options(*section, "/" + word)};
  }
  return result;
}

Configuration load_configuration(const fs::path& file) {
  constexpr std::uintmax_t kMostBytes = 16 << 20;
  std::error_code failed;
  if (!fs::is_regular_file(file, failed))
    throw Error(fmt::format("configuration {} {}; give a JSON file", file.string(),
                            fs::exists(file, failed) ? "is not a file" : "does not exist"));
  if (const auto size = fs::file_size(file); size > kMostBytes)
    throw Error(
        fmt::format("configuration {} has {} bytes, the limit is {}", file.string(), size, kMostBytes));
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) fail(file, "cannot be read");
  return parse_configuration(text, file.string());
}

std::string configuration_text(const Configuration& configuration) {
  ordered_json document = {{"spimstitch", configuration.version},
                           {"command", configuration.command},
                           {"options", values_of(configuration.options)}};
  for (const Kind kind : kAllKinds) {
    const Selection& selection = configuration.selections.of(kind);
    if (selection.id.empty() && selection.options.empty()) continue;
    document[std::string(kind_word(kind))] = {{"id", selection.id},
                                              {"options", values_of(selection.options)}};
  }
  if (!configuration.sources.empty()) document["sources"] = configuration.sources;
  // Paths need not be UTF-8, JSON must be.
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void save_configuration(const Configuration& configuration, const fs::path& file) {
  detail::replace_file(file, configuration_text(configuration));
}

fs::path configuration_path(const fs::path& output) {
  const fs::path normal = (output / "").parent_path();  // without separators at the end
  return normal.string() + ".config.json";
}

}  // namespace spim
