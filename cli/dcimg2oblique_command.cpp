/// dcimg2oblique and stack2oblique: one camera file or stack becomes one deskewed volume.

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "bridged_frames.hpp"
#include "command.hpp"
#include "output_options.hpp"
#include "plugin_choice.hpp"
#include "scan_options.hpp"
#include "spim/host/oblique_volume.hpp"

namespace spim::cli {

namespace {

struct Request {
  std::string input;
  CommonOptions common;
  ScanOptions scan;
  StackOptions stack;
  OutputOptions output;
  PluginChoice plugins;
};

/// What tells the two commands apart.
struct Variant {
  std::string_view command, description;
  Label input;
};

constexpr Variant kCameraFile = {
    "dcimg2oblique",
    "Deskews a camera file of an oblique scan into a volume. Voxels outside the scanned "
    "parallelepiped are zero.",
    {"input,i", "FILE", "camera file to convert"}};
constexpr Variant kStack = {
    "stack2oblique",
    "Deskews a stack of frames, in any format that an installed reader knows, into a volume. Voxels "
    "outside the scanned parallelepiped are zero.",
    {"input,i", "STACK",
     "frames to convert: a pattern in quotes (\"folder/img*.tiff\"), a folder of files, or one file"}};

void declare(CommandLine& line, Request& request, const Variant& variant) {
  line.group("Input and output");
  line.text(variant.input, request.input);
  line.text({"output,o", "PATH", "volume to write"}, request.output.path);
  request.plugins.add_reader(line);
  add_stack_options(line, request.stack);
  add_range_options(line, request.stack);
  add_bad_frame_option(line, request.stack);
  add_correction_options(line, request.stack.corrections, request.plugins);
  add_scan_options(line, request.scan);
  add_output_options(line, request.output, request.common);
  request.plugins.add_writer(line);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
  refuse_missing_options(line);
}

/// What people call the volume: the name of the file or folder; that of the folder for a pattern.
std::string name_of(const std::string& input) {
  std::filesystem::path path = std::filesystem::absolute(input).lexically_normal();
  if (!path.has_filename() || path.filename().string().find_first_of("*?[") != std::string::npos)
    path = path.parent_path();
  return path.stem().string();
}

int convert(const Invocation& call, const Variant& variant) {
  Request request;
  CommandLine line(call.program, fmt::format("--input {} --output PATH [options]", variant.input.word),
                   variant.description);
  declare(line, request, variant);
  if (!line.parse(call.arguments)) return kDone;
  if (request.input.empty()) throw UsageError("--input is missing; say which frames to convert");
  if (request.output.path.empty()) throw UsageError("--output is missing; say where to write the volume");
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_writer, Kind::destriper});
  const Selections& plugins = request.plugins.get();
  StackOpener opener(session, plugins, request.stack);
  auto frames = opener.open(request.input);
  const ObliqueGeometry geometry(request.scan.settings(), frames->shape());
  const auto volume = oblique_volume(std::move(frames), request.scan.settings());
  const std::string name = name_of(request.input);
  std::vector<std::filesystem::path> inputs = request.stack.corrections.inputs();
  inputs.emplace_back(request.input);
  write_volume(session, *volume,
               {request.output,
                plugins,
                std::move(inputs),
                {geometry.origin_um(), name},
                configuration_of(variant.command, line, plugins)});
  opener.corrections().report();
  warn_of_bad_frames(session);
  return kDone;
}

}  // namespace

int run_dcimg2oblique(const Invocation& call) {
  return convert(call, kCameraFile);
}

int run_stack2oblique(const Invocation& call) {
  return convert(call, kStack);
}

}  // namespace spim::cli
