#pragma once
/// Which plugins a command uses: --reader and the like over --config, and their options from --set.

#include <map>
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
  /// --writer and --ngff, and the options of writers that have names of their own.
  void add_writer(CommandLine& line);
  /// --destripe, and the options of the methods of the original programs under their names there.
  void add_destripe(CommandLine& line);
  /// Names of the options of plugins that have one of their own: what they say is saved with the plugin.
  static std::vector<std::string> plugin_option_names();
  /// --aligner.
  void add_aligner(CommandLine& line);
  /// --config and --set.
  void add_general(CommandLine& line);

  /// Chooses a destriper for another option, of which `layer` says where it was given: --destripe counts if
  /// it comes from higher. Throws UsageError when both come from the same and contradict each other.
  void want_destripe(const std::string& id, std::string_view option, Layer layer = Layer::command_line);
  /// What is taken when the user chooses no destriper, and what its options are unless the user sets them.
  /// After parse().
  void default_destripe(const Selection& selection) { default_destripe_ = selection; }
  /// True when the option of a method was given by its own name.
  bool destripe_option_given(const std::string& plugin_name) const;
  /// The destriper that will be taken; empty for none. After parse().
  std::string destripe_id() const;
  /// Chooses a reader for another option; throws UsageError when it contradicts --reader.
  void want_reader(const std::string& id, std::string_view option);
  /// Chooses the writer that the command stands for. After parse().
  void want_writer(const std::string& id) { writer_ = id; }
  /// True when the user chose the writer, and not the default. After parse().
  bool writer_given() const;
  /// The writer that is taken when the user chooses none; for the help, before add_writer().
  void default_writer(const std::string& id) { default_writer_ = id; }
  /// Sets an option of the plugin in use, as --set does.
  void set(Kind kind, std::string_view option, std::string_view value);
  /// Forgets what a configuration file says of a kind that this call does not need. After parse().
  void forget_configured(Kind kind) { configured_.of(kind) = {}; }
  /// True when the user chose the aligner, and not the default.
  bool aligner_given() const;
  /// The writer that will be taken. After parse().
  std::string writer_id() const;

  /// Puts everything together, once, after parse(). Throws UsageError for unknown ids and options, and for
  /// choices of kinds that are not `used` by the command.
  void resolve(Session& session, const std::vector<Kind>& used);
  /// What resolve() found, completed with all defaults.
  const Selections& get() const noexcept { return resolved_; }

 private:
  void choose_destripe(Selections& typed);
  Layer layer(std::string_view option) const;
  bool wants_ngff() const;

  std::string reader_, writer_, destripe_, aligner_, config_;
  std::string default_writer_ = "blockfs";
  const CommandLine* line_ = nullptr;  ///< that the options were added to; outlives this
  bool ngff_ = false;
  std::vector<std::string> settings_;
  std::map<std::string, std::string> destripe_options_;  ///< of the plugin, by name; empty: not given
  std::map<std::string, std::string> writer_options_;    ///< the same
  Selection default_destripe_;
  Selections configured_, resolved_;
};

}  // namespace spim::cli
