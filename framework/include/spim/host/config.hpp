#pragma once
/// What a user chose, as a JSON document that can be given again with --config.
///
///     {"spimstitch": "0.1.0", "command": "dcimg2oblique", "options": {"voxel-size": 1.8},
///      "reader": {"id": "dcimg", "options": {}}, "writer": {"id": "zarr", "options": {"level": 5}}}
///
/// Every section may be missing. A section "sources" tells people where values came from and is not read. The
/// sections of plugins are called as kind_word() says. Values are texts, numbers or booleans, or arrays of
/// them for values with commas ([64, 64, 64] is "64,64,64").

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "spim/host/option_table.hpp"
#include "spim/host/registry.hpp"

namespace spim {

/// The implementation of each kind, and its options. An empty id means none or the default.
struct Selections {
  Selection reader, volume_reader, writer, destripe, aligner;

  Selection& of(Kind kind);
  const Selection& of(Kind kind) const { return const_cast<Selections*>(this)->of(kind); }
};

struct Configuration {
  std::string version;  ///< of the program that saved it
  std::string command;
  OptionTexts options;  ///< of the command, without leading dashes
  Selections selections;
  OptionTexts sources = {};  ///< for people: where the value of each option came from. Written, never read
};

/// Reads the JSON text `json`; messages begin with `source`. Throws UsageError with line and column when it
/// is not JSON, with the place and the nearest known word when it is not a configuration. Options are not
/// checked here: complete() and the command do.
Configuration parse_configuration(std::string_view json, const std::string& source);

/// The same from a file. Throws Error when it cannot be read.
Configuration load_configuration(const std::filesystem::path& file);

/// The document for `configuration`; parse_configuration() gives the same configuration back. Kinds without
/// id and options are left out.
std::string configuration_text(const Configuration& configuration);

/// Writes configuration_text() under a temporary name and renames it. Throws Error.
void save_configuration(const Configuration& configuration, const std::filesystem::path& file);

/// Where the configuration of `output` is saved: beside it, with ".config.json" behind the name.
std::filesystem::path configuration_path(const std::filesystem::path& output);

/// Applies one --set KIND.option=value. Throws UsageError that names the nearest kind.
void set_option(Selections& selections, std::string_view setting);

/// `above` (the command line) over `below` (a file): an id replaces the one below together with its options;
/// an option replaces the one below.
Selections overlay(const Selections& below, const Selections& above);

/// Checks the options of every selected implementation and adds its defaults. Readers without an id are left
/// for probing. Throws UsageError for an unknown id or option, and for options of a kind without selection.
Selections complete(const Selections& selections, const Registry& registry);

}  // namespace spim
