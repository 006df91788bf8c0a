#pragma once
/// What a run writes beside its first output: the same volume in other formats, and the volumes of single
/// tiles.

#include <string>
#include <vector>

#include "command_line.hpp"
#include "spim/host/config.hpp"
#include "spim/host/registry.hpp"

namespace spim::cli {

/// As the user gives it.
struct ExtraOptions {
  std::vector<std::string> also;      ///< FORMAT or FORMAT=PATH, several with commas between them
  std::vector<std::string> also_set;  ///< FORMAT.OPTION=VALUE
  std::string psnr = "80";            ///< decibels of the layers of JPEG 2000 planes; 0: lossless
  bool keep_stacks = false;

  /// Puts what decides the outputs into the options of a saved configuration.
  void save(Configuration& saved) const;
};

/// A saved --also with the places that it names made absolute.
std::string absolute_places(const std::string& also);

/// --also, --also-set, --psnr, --keep-stacks.
void add_extra_outputs(CommandLine& line, ExtraOptions& options);

/// The volume in one more format.
struct ExtraOutput {
  std::string name;    ///< of its own among those of a run: the writer's id, then "ID-2" and so on
  Selection writer;    ///< completed
  std::string path;    ///< where it is published: a volume, a file, or the folder of planes
  std::string planes;  ///< pattern of the names of files in the folder; empty: no planes
};

/// What `options` ask for beside the volume `first`, with the names that follow from it where none is given.
/// Throws UsageError for unknown formats and options and for names that are no good.
std::vector<ExtraOutput> extra_outputs(const ExtraOptions& options, const Registry& registry,
                                       const std::string& first);

/// True when planes are written as JPEG 2000, which --psnr is for.
bool writes_jp2(const ExtraOptions& options);

/// True when a place is given for one of the outputs, which then is that of one channel.
bool names_a_path(const ExtraOptions& options);

}  // namespace spim::cli
