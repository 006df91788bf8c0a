#include "command_line.hpp"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "help_text.hpp"
#include "spim/error.hpp"
#include "values.hpp"
#include "version.hpp"

namespace spim::cli {

namespace po = boost::program_options;

namespace {

void check_limits(double value, std::string_view shown, Limits limits) {
  if (value >= limits.minimum && value <= limits.maximum) return;
  if (limits.minimum == kAboveZero && value < limits.minimum)
    throw UsageError(fmt::format("{} is not greater than 0", shown));
  if (value < limits.minimum)
    throw UsageError(fmt::format("{} is less than the smallest possible value {}", shown, limits.minimum));
  throw UsageError(fmt::format("{} is more than the largest possible value {}", shown, limits.maximum));
}

/// `"a", "b" or "c"`.
std::string any_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

/// "s1": typed with one dash although it has two signs.
bool is_numbered_letter(std::string_view name) {
  return name.size() == 2 && std::isdigit(static_cast<unsigned char>(name[1])) != 0;
}

/// "--name", "-n" or "-n1".
std::string dashed(std::string_view name) {
  return fmt::format("{}{}", name.size() == 1 || is_numbered_letter(name) ? "-" : "--", name);
}

}  // namespace

CommandLine::CommandLine(std::string_view program, std::string_view synopsis, std::string_view description)
    : program_(program), synopsis_(synopsis), description_(description) {}

void CommandLine::group(std::string_view title) {
  title_ = title;
}

CommandLine::Option& CommandLine::add(const Label& label) {
  Option& option = options_.emplace_back();
  option.names = split(label.names, ',');
  option.word = label.word;
  option.help = label.help;
  option.title = title_;
  return option;
}

void CommandLine::flag(const Label& label, bool& value) {
  Option& option = add(label);
  option.is_flag = true;
  option.set = [&value](const std::string& text) { value = parse_boolean(text); };
  option.get = [&value] { return std::string(value ? "true" : "false"); };
}

void CommandLine::text(const Label& label, std::string& value) {
  Option& option = add(label);
  option.set = [&value](const std::string& text) { value = text; };
  option.get = [&value] { return value; };
}

void CommandLine::texts(const Label& label, std::vector<std::string>& values) {
  Option& option = add(label);
  option.is_list = true;
  option.set = [&values](const std::string& text) { values.push_back(text); };
  option.get = [] { return std::string(); };
  option.clear = [&values] { values.clear(); };
}

void CommandLine::integer(const Label& label, std::int64_t& value, Limits limits) {
  Option& option = add(label);
  option.set = [&value, limits](const std::string& text) {
    const std::int64_t parsed = parse_integer(text);
    check_limits(static_cast<double>(parsed), text, limits);
    value = parsed;
  };
  option.get = [&value] { return std::to_string(value); };
}

void CommandLine::number(const Label& label, double& value, Limits limits) {
  Option& option = add(label);
  option.set = [&value, limits](const std::string& text) {
    const double parsed = parse_number(text);
    check_limits(parsed, text, limits);
    value = parsed;
  };
  option.get = [&value] { return format_number(value); };
}

void CommandLine::triple(const Label& label, Index3& value, Limits limits) {
  Option& option = add(label);
  option.set = [&value, limits](const std::string& text) {
    const Index3 parsed = parse_triple(text);
    for (const std::int64_t v : {parsed.x, parsed.y, parsed.z})
      check_limits(static_cast<double>(v), text, limits);
    value = parsed;
  };
  option.get = [&value] { return format_triple(value); };
}

void CommandLine::bytes(const Label& label, std::int64_t& value) {
  Option& option = add(label);
  option.set = [&value](const std::string& text) { value = parse_bytes(text); };
  option.get = [&value] { return value == 0 ? std::string() : std::to_string(value); };
}

void CommandLine::choice(const Label& label, std::string& value, std::vector<std::string> choices) {
  Option& option = add(label);
  option.set = [&value, choices = std::move(choices)](const std::string& text) {
    for (const std::string& word : choices)
      if (lower(word) == lower(text)) {
        value = word;
        return;
      }
    throw UsageError(fmt::format("\"{}\" is not {}", text, any_of(choices)));
  };
  option.get = [&value] { return value; };
}

void CommandLine::arguments(const Label& label, std::vector<std::string>& values, ArgumentCount count) {
  argument_label_ = label;
  arguments_ = &values;
  argument_count_ = count;
}

void CommandLine::refused(std::string_view names, std::string_view why) {
  Option& option = add({names, "", ""});
  option.refusal = why;
  option.is_list = true;  // takes a value or not: see parse()
}

void CommandLine::environment(std::string_view name, std::string_view variable) {
  find(name)->variable = variable;
}

void CommandLine::configuration(std::function<std::map<std::string, std::string>(const std::string&)> load) {
  load_ = std::move(load);
}

const CommandLine::Option* CommandLine::find(std::string_view name) const {
  for (const Option& option : options_)
    for (const std::string& known : option.names)
      if (known == name) return &option;
  return nullptr;
}

CommandLine::Option* CommandLine::find(std::string_view name) {
  return const_cast<Option*>(std::as_const(*this).find(name));
}

void CommandLine::assign(Option& option, const Assignment& assignment) {
  if (!option.refusal.empty()) throw UsageError(fmt::format("{} {}", assignment.origin, option.refusal));
  if (option.clear && option.layer != Layer::defaults && option.layer < assignment.layer) option.clear();
  try {
    option.set(assignment.value);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", assignment.origin, error.what()));
  }
  option.layer = assignment.layer;
  option.origin = assignment.origin;
}

void CommandLine::complete(std::string_view name, const std::string& value, const std::string& origin) {
  Option& option = *find(name);
  if (option.layer == Layer::defaults) assign(option, {value, Layer::metadata, origin});
}

void CommandLine::read_environment() {
  for (Option& option : options_) {
    if (option.variable.empty()) continue;
    const char* variable = std::getenv(option.variable.c_str());
    if (variable == nullptr || *variable == '\0') continue;
    // In scripts a flag is set by any text; only words that say no take it back.
    const std::string word = lower(variable);
    const bool no = word == "0" || word == "false" || word == "no" || word == "off";
    assign(option, {option.is_flag ? (no ? "false" : "true") : variable, Layer::environment,
                    "environment variable " + option.variable});
  }
}

void CommandLine::read_configuration(const std::string& file) {
  for (const auto& [name, value] : load_(file)) {
    Option* option = find(name);
    if (option == nullptr) {
      std::vector<std::string> known;
      for (const Option& each : options_) known.push_back(each.names.front());
      throw UsageError(
          fmt::format("{}: {} has no option {}{}", file, program_, name, suggestion(name, known)));
    }
    assign(*option, {value, Layer::configuration, fmt::format("{}: option \"{}\"", file, name)});
  }
}

std::vector<std::string> CommandLine::prepared(std::vector<std::string> arguments) const {
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    // The parser takes -s1 for -s with the value 1.
    if (argument.starts_with('-') && is_numbered_letter(argument.substr(1)) &&
        find(argument.substr(1)) != nullptr)
      argument.insert(0, 1, '-');
    // What follows a flag is a plain argument; only --flag=value gives it a value.
    const Option* const option = argument.starts_with("--") ? find(argument.substr(2)) : nullptr;
    if (option != nullptr && option->is_flag) argument += "=true";
  }
  return arguments;
}

bool CommandLine::parse(const std::vector<std::string>& arguments) {
  po::options_description description;
  std::vector<std::string> known{"--help", "--version", "--check-only"};
  description.add_options()("help,h", "")("version", "")("check-only", "");
  for (const Option& option : options_)
    for (const std::string& name : option.names) {
      const std::string spelled = name.size() == 1 ? "," + name : name;
      // A refused option is refused whether or not a value follows, so it must not miss one.
      const bool bare = option.is_flag || !option.refusal.empty();
      auto* value = po::value<std::string>();
      description.add_options()(spelled.c_str(), bare ? value->implicit_value("true") : value, "");
      known.push_back(dashed(name));
    }

  using Style = po::command_line_style::style_t;
  const int style = Style::allow_long | Style::allow_short | Style::allow_dash_for_short |
                    Style::long_allow_next | Style::long_allow_adjacent | Style::short_allow_next;
  std::vector<po::option> parsed;
  try {
    parsed = po::command_line_parser(prepared(arguments)).options(description).style(style).run().options;
  } catch (const po::unknown_option& error) {
    const std::string token = error.get_option_name();
    throw UsageError(fmt::format("{} has no option {}{}", program_, token, suggestion(token, known)));
  } catch (const po::invalid_command_line_syntax& error) {
    throw UsageError(
        fmt::format("option {} lacks its value; see {} --help", error.get_option_name(), program_));
  } catch (const po::error& error) {
    throw UsageError(fmt::format("{}; see {} --help", error.what(), program_));
  }
  for (const po::option& option : parsed) {
    if (option.string_key == "help") return std::fputs(help().c_str(), stdout), false;
    if (option.string_key == "version") return std::printf("spimstitch %s\n", kVersion), false;
  }
  read_environment();
  if (load_)
    for (const po::option& option : parsed)
      if (option.string_key == "config") read_configuration(option.value.front());
  bool check_only = false;
  for (const po::option& option : parsed) {
    if (option.string_key == "check-only") {
      check_only = true;
      continue;
    }
    if (option.position_key >= 0) {
      if (arguments_ == nullptr || arguments_->size() == argument_count_.maximum)
        throw UsageError(fmt::format("{} does not expect \"{}\"; see {} --help", program_,
                                     option.value.front(), program_));
      arguments_->push_back(option.value.front());
      continue;
    }
    std::string name = option.string_key;
    while (name.starts_with('-')) name.erase(0, 1);
    assign(*find(name), {option.value.empty() ? "true" : option.value.front(), Layer::command_line,
                         "option " + dashed(name)});
  }
  if (check_only) return false;
  if (arguments_ != nullptr && arguments_->size() < argument_count_.minimum)
    throw UsageError(fmt::format("{} lacks {}; see {} --help", program_, argument_label_.names, program_));
  return true;
}

Layer CommandLine::layer(std::string_view name) const {
  const Option* option = find(name);
  return option == nullptr ? Layer::defaults : option->layer;
}

std::map<std::string, std::string> CommandLine::origins() const {
  std::map<std::string, std::string> result;
  for (const Option& option : options_)
    if (option.get && !option.is_list) result[option.names.front()] = option.origin;
  return result;
}

std::map<std::string, std::string> CommandLine::values() const {
  std::map<std::string, std::string> result;
  for (const Option& option : options_)
    if (option.get && !option.is_list) result[option.names.front()] = option.get();
  return result;
}

std::string CommandLine::help() const {
  HelpText text;
  text.paragraph(fmt::format("Usage: {} {}", program_, synopsis_));
  text.paragraph(description_);
  if (!argument_label_.names.empty()) {
    text.title("Arguments");
    text.entry(std::string(argument_label_.names), std::string(argument_label_.help));
  }
  std::string title;
  for (const Option& option : options_) {
    if (!option.refusal.empty()) continue;
    if (option.title != title) text.title(title = option.title);
    std::string names;
    for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + dashed(name);
    if (!option.is_flag) names += " " + option.word;
    std::string help = option.help;
    // Flags are off unless something is said; a -1 that the text does not explain stands for nothing.
    std::string value = option.get();
    if (value == "false" || (value == "-1" && option.help.find("-1") == std::string::npos)) value.clear();
    if (!value.empty()) help += fmt::format(" (default {})", value);
    if (option.is_list) help += "; may be repeated";
    if (!option.variable.empty()) help += fmt::format(" [environment: {}]", option.variable);
    text.entry(names, help);
  }
  text.title("Help");
  text.entry("--check-only", "check names and values of the options, then stop");
  text.entry("-h, --help", "show this text");
  text.entry("--version", "show the version");
  return text.str();
}

}  // namespace spim::cli
