#pragma once
/// The frames of a camera file as files: what dcimg2tif and dcimg2jp2 have in common.

#include <functional>
#include <string>
#include <string_view>

#include "command.hpp"
#include "plugin_choice.hpp"
#include "scan_options.hpp"

namespace spim::cli {

/// What a user asks for, beside the options of the format.
struct FrameFilesRequest {
  std::string input;
  std::string pattern;
  bool resume = false;
  double x_step_um = 0, y_voxel_um = 0;  ///< noted in the files; 0: not known
  CommonOptions common;
  StackOptions stack;
  PluginChoice plugins;
};

/// What tells the commands apart.
struct FrameFilesCommand {
  std::string_view name;
  std::string_view description;
  std::string_view kind;     ///< of files, e.g. "TIFF"
  std::string_view example;  ///< of a pattern
  const char* writer;
  std::function<void(CommandLine& line)> declare;           ///< the options of the format
  std::function<void(PluginChoice& plugins)> choose_codec;  ///< what they mean for the writer
};

/// Runs such a command. `request` holds the defaults of the command.
int run_frame_files(const Invocation& call, const FrameFilesCommand& command, FrameFilesRequest request);

}  // namespace spim::cli
