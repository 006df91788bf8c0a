/// dcimg2jp2: the frames of a camera file become JPEG 2000 files.

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "command.hpp"
#include "output_options.hpp"
#include "plane_files.hpp"
#include "plugin_choice.hpp"
#include "scan_options.hpp"
#include "spim/host/frame_volume.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kWriter = "jp2";

struct Request {
  std::string input;
  std::string pattern;
  std::string psnr = "30,40,50,60,70,80";
  bool resume = false;
  double x_step_um = 0, y_voxel_um = 0;  ///< 0: not known
  CommonOptions common;
  StackOptions stack;
  PluginChoice plugins;
};

void declare(CommandLine& line, Request& request) {
  line.group("Input and output");
  line.text({"input,i", "FILE", "camera file to convert"}, request.input);
  line.text({"output-pattern,o", "PATTERN",
             "names of the JPEG 2000 files with the number of the frame in the camera file, e.g. "
             "folder/img_%05d.jp2"},
            request.pattern);
  line.text({"psnr", "DB,DB…",
             "peak signal to noise ratios of the quality layers, rising; a last one of 0 is lossless"},
            request.psnr);
  add_overwrite_option(line, request.common);
  line.flag({"resume", "", "go on with an interrupted run: files that are there and whole stay"},
            request.resume);
  request.plugins.add_reader(line);
  add_stack_options(line, request.stack);
  add_range_options(line, request.stack);
  add_correction_options(line, request.stack.corrections, request.plugins);
  line.group("Noted in the files");
  line.number(
      {"x-step-size", "UM", "distance of the stage between two frames, micrometres; 0 means not known"},
      request.x_step_um, {0, 1e6});
  line.number({"y-voxel-size", "UM", "size of a camera pixel in the sample, micrometres; 0 means not known"},
              request.y_voxel_um, {0, 1e6});
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
}

void understand(Request& request) {
  if (request.input.empty()) throw UsageError("--input is missing; say which camera file to convert");
  if (request.pattern.empty())
    throw UsageError("--output-pattern is missing; say how to name the files, e.g. img_%05d.jp2");
  if (request.resume && request.common.overwrite)
    throw UsageError("--resume keeps files and --overwrite replaces them; give one of them");
  request.plugins.want_writer(kWriter);
  request.plugins.set(Kind::volume_writer, "psnr", request.psnr);
}

void convert(Session& session, const Request& request, const CommandLine& line) {
  StackOpener opener(session, request.plugins.get(), request.stack);
  const auto reader = opener.open_stored(request.input);
  auto frames = opener.frames_of(request.input, reader);
  const auto volume =
      frame_volume(std::move(frames), {request.y_voxel_um, request.y_voxel_um, request.x_step_um});
  PlaneLabels labels;
  labels.source = fs::path(request.input).filename().string();
  labels.first_frame = request.stack.start;
  labels.stamp = [&](std::int64_t plane) { return reader->stamp(request.stack.start + plane); };
  std::vector<fs::path> inputs = request.stack.corrections.inputs();
  inputs.emplace_back(request.input);
  write_plane_files(
      session, *volume,
      {request.pattern, request.stack.start, request.resume, std::move(inputs), request.plugins.get(),
       std::move(labels), configuration_of("dcimg2jp2", line, request.plugins.get())});
  opener.corrections().report();
}

}  // namespace

int run_dcimg2jp2(const Invocation& call) {
  Request request;
  CommandLine line(
      call.program, "--input FILE --output-pattern PATTERN [options]",
      "Writes each frame of a camera file as a JPEG 2000 file in layers of rising quality. Folders are "
      "created; each file appears whole or not at all.");
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  understand(request);
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_writer, Kind::destriper});
  convert(session, request, line);
  return kDone;
}

}  // namespace spim::cli
