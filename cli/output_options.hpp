#pragma once
/// Options of the volume that is written, and writing it.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "session.hpp"
#include "spim/host/config.hpp"
#include "spim/host/sweep.hpp"
#include "spim/host/volume_source.hpp"

namespace spim::cli {

struct OutputOptions {
  std::string path;
  std::int64_t levels = 5;
  Index3 chunk;  ///< 0: the format's own
};

/// --levels, --chunk-size, --overwrite. --output is the command's own.
void add_output_options(CommandLine& line, OutputOptions& options, CommonOptions& common);

/// How a viewer should show a channel, as ChannelSpec.
struct ChannelLabel {
  std::string label, color;
  double window_start = 0, window_end = 0;
};

/// What is remembered of a volume beside its voxels.
struct VolumeLabels {
  Vec3 origin_um;                           ///< position of voxel (0,0,0)
  std::string name;                         ///< for people
  std::vector<ChannelLabel> channels = {};  ///< one for each, or none at all
};

/// What is written, where, and with which choices.
struct VolumeRequest {
  const OutputOptions& output;
  const Selections& plugins;                  ///< completed
  std::vector<std::filesystem::path> inputs;  ///< what the volume is made from
  VolumeLabels labels;
  Configuration saved;  ///< the command and its options, to be kept beside the volume
};

/// What is asked of a writer; labels.name is borrowed.
VolumeSpec volume_spec(const VolumeSource& source, const OutputOptions& output, const VolumeLabels& labels);

/// Logs what a sweep is going to need, and warns when the memory makes it slow.
void report_sweep_plan(Session& session, const std::string& path, const VolumeSpec& spec,
                       const SweepPlan& plan);

/// Computes `source`, publishes it with the configuration beside it, and says what was written.
void write_volume(Session& session, VolumeSource& source, const VolumeRequest& request);
/// The same for the channels of a volume: at least one, all of one shape.
void write_volume(Session& session, std::span<VolumeSource* const> channels, const VolumeRequest& request);

/// What is kept of a call: all options of `line` but those of the terminal and the permission to overwrite.
Configuration configuration_of(std::string_view command, const CommandLine& line, const Selections& plugins);

}  // namespace spim::cli
