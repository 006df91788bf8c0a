#pragma once
/// The options of a command: declared once, they give parsing, checking, help, environment and configuration.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spim/geometry.hpp"

namespace spim::cli {

/// How an option appears: its names without dashes separated by commas (a name of one letter, or of a
/// letter and a digit, is typed with one dash), the word for its value, and one sentence with the unit. The
/// default is added to the help.
struct Label {
  std::string_view names;
  std::string_view word;
  std::string_view help;
};

/// Inclusive limits of a number.
struct Limits {
  double minimum;
  double maximum;
};

/// The smallest double above zero stands for "greater than 0".
inline constexpr double kAboveZero = 4.9406564584124654e-324;

/// Where the value of an option comes from, rising in precedence.
enum class Layer { defaults, metadata, environment, configuration, command_line };

/// How many plain arguments a command takes.
struct ArgumentCount {
  std::size_t minimum;
  std::size_t maximum;
};

/// Values come from, rising in precedence: defaults (what the variables hold when they are declared), files
/// that came with the data, environment, configuration file, command line. Of an option given twice the last
/// counts; a list collects what comes from the same place.
class CommandLine {
 public:
  /// `synopsis` is what follows the program's name in the usage line.
  CommandLine(std::string_view program, std::string_view synopsis, std::string_view description);

  /// Options declared from here on stand under `title` in the help.
  void group(std::string_view title);

  void flag(const Label& label, bool& value);
  void text(const Label& label, std::string& value);
  void texts(const Label& label, std::vector<std::string>& values);
  void integer(const Label& label, std::int64_t& value, Limits limits);
  void number(const Label& label, double& value, Limits limits);
  /// Three whole numbers x,y,z.
  void triple(const Label& label, Index3& value, Limits limits);
  /// A number of bytes, with K, M, G or T (powers of 1024).
  void bytes(const Label& label, std::int64_t& value);
  /// One of several words; upper and lower case are the same.
  void choice(const Label& label, std::string& value, std::vector<std::string> choices);
  void arguments(const Label& label, std::vector<std::string>& values, ArgumentCount count);
  /// An option of the original programs that this version does not have: giving it is an error that says so.
  void refused(std::string_view names, std::string_view why);
  /// `variable` of the environment sets option `name` (a declared one).
  void environment(std::string_view name, std::string_view variable);
  /// Called with the value of --config when it was given; returns option values by name.
  void configuration(std::function<std::map<std::string, std::string>(const std::string& file)> load);

  /// Throws UsageError. Returns false when the command has nothing more to do: help or the version was asked
  /// for and has been printed, or --check-only was given.
  [[nodiscard]] bool parse(const std::vector<std::string>& arguments);

  /// Sets an option that nothing else has set: from a file that came with the data, called `origin`. After
  /// parse(). Throws UsageError.
  void complete(std::string_view name, const std::string& value, const std::string& origin);

  /// True when the option was set in any way.
  bool given(std::string_view name) const { return layer(name) != Layer::defaults; }
  Layer layer(std::string_view name) const;
  /// For every option of values() in words where its value comes from.
  std::map<std::string, std::string> origins() const;
  /// Every option that has a value, as text, completed; for the saved configuration.
  std::map<std::string, std::string> values() const;
  std::string help() const;

 private:
  struct Option {
    std::vector<std::string> names;
    std::string word, help, title, variable, refusal;
    bool is_flag = false, is_list = false;
    Layer layer = Layer::defaults;
    std::string origin = "default";
    std::function<void(const std::string&)> set;
    std::function<void()> clear;  ///< of a list
    std::function<std::string()> get;
  };

  Option& add(const Label& label);
  Option* find(std::string_view name);
  const Option* find(std::string_view name) const;
  /// A value and where it comes from.
  struct Assignment {
    std::string value;
    Layer layer;
    std::string origin;
  };
  void assign(Option& option, const Assignment& assignment);
  /// The arguments as the parser understands them: numbered letters as long names, flags with a value.
  std::vector<std::string> prepared(std::vector<std::string> arguments) const;
  void read_environment();
  void read_configuration(const std::string& file);

  std::string program_, synopsis_, description_, title_;
  std::vector<Option> options_;
  Label argument_label_{};
  std::vector<std::string>* arguments_ = nullptr;
  ArgumentCount argument_count_{0, 0};
  std::function<std::map<std::string, std::string>(const std::string&)> load_;
};

}  // namespace spim::cli
