#pragma once
/// Which plugins a command uses: --reader and the like over --config, and their options from --set.

#include <initializer_list>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "session.hpp"
#include "spim/host/config.hpp"

namespace spim::cli {

/// Choices of one call, rising in precedence: the command's default, --config, the command line.
class PluginChoice {
 public:
  /// --reader: of camera files or of volumes, whichever kind has the id.
  void add_reader(CommandLine& line);
  /// --writer and --ngff.
  void add_writer(CommandLine& line);
  /// --destripe.
  void add_destripe(CommandLine& line);
  /// --config and --set.
  void add_general(CommandLine& line);

  /// Chooses a destriper for another option; throws UsageError when it contradicts --destripe.
  void want_destripe(const std::string& id, std::string_view option);
  /// The writer that will be taken. After parse().
  std::string writer_id() const;

  /// Puts everything together, once, after parse(). Throws UsageError for unknown ids and options, and for
  /// choices of kinds that are not `used` by the command.
  void resolve(Session& session, std::initializer_list<Kind> used);
  /// What resolve() found, completed with all defaults.
  const Selections& get() const noexcept { return resolved_; }

 private:
  std::string reader_, writer_, destripe_, config_;
  bool ngff_ = false;
  std::vector<std::string> settings_;
  Selections configured_, resolved_;
};

}  // namespace spim::cli
