/// dcimg2oblique and stack2oblique: one camera file becomes one deskewed volume.

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

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

void declare(CommandLine& line, Request& request) {
  line.group("Input and output");
  line.text({"input,i", "FILE", "camera file to convert"}, request.input);
  line.text({"output,o", "PATH", "volume to write"}, request.output.path);
  request.plugins.add_reader(line);
  add_stack_options(line, request.stack);
  add_range_options(line, request.stack);
  add_correction_options(line, request.stack.corrections, request.plugins);
  add_scan_options(line, request.scan);
  add_output_options(line, request.output, request.common);
  request.plugins.add_writer(line);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
  refuse_missing_options(line);
}

int convert(const Invocation& call, std::string_view command, std::string_view description) {
  Request request;
  CommandLine line(call.program, "--input FILE --output PATH [options]", description);
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  if (request.input.empty()) throw UsageError("--input is missing; say which camera file to convert");
  if (request.output.path.empty()) throw UsageError("--output is missing; say where to write the volume");
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_writer, Kind::destriper});
  const Selections& plugins = request.plugins.get();
  StackOpener opener(session, plugins, request.stack);
  auto frames = opener.open(request.input);
  const ObliqueGeometry geometry(request.scan.settings(), frames->shape());
  const auto volume = oblique_volume(std::move(frames), request.scan.settings());
  const std::string name = std::filesystem::path(request.input).stem().string();
  std::vector<std::filesystem::path> inputs = request.stack.corrections.inputs();
  inputs.emplace_back(request.input);
  write_volume(session, *volume,
               {request.output,
                plugins,
                std::move(inputs),
                {geometry.origin_um(), name},
                configuration_of(command, line, plugins)});
  opener.corrections().report();
  return kDone;
}

}  // namespace

int run_dcimg2oblique(const Invocation& call) {
  return convert(call, "dcimg2oblique",
                 "Deskews a camera file of an oblique scan into a volume. Voxels outside the scanned "
                 "parallelepiped are zero.");
}

int run_stack2oblique(const Invocation& call) {
  return convert(
      call, "stack2oblique",
      "Deskews a stack of frames, in any format that an installed reader knows, into a volume. Voxels "
      "outside the scanned parallelepiped are zero.");
}

}  // namespace spim::cli
