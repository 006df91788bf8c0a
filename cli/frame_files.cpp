#include "frame_files.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "output_options.hpp"
#include "plane_files.hpp"
#include "spim/host/frame_volume.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

void declare(CommandLine& line, const FrameFilesCommand& command, FrameFilesRequest& request) {
  line.group("Input and output");
  line.text({"input,i", "FILE", "camera file to convert, or another stack that a reader knows"},
            request.input);
  const std::string names =
      fmt::format("names of the {} files with the number of the frame in the camera file, e.g. folder/{}",
                  command.kind, command.example);
  line.text({"output-pattern,o", "PATTERN", names}, request.pattern);
  command.declare(line);
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

void understand(const FrameFilesCommand& command, FrameFilesRequest& request) {
  if (request.input.empty()) throw UsageError("--input is missing; say which camera file to convert");
  if (request.pattern.empty())
    throw UsageError(
        fmt::format("--output-pattern is missing; say how to name the files, e.g. {}", command.example));
  if (request.resume && request.common.overwrite)
    throw UsageError("--resume keeps files and --overwrite replaces them; give one of them");
  request.plugins.want_writer(command.writer);
  command.choose_codec(request.plugins);
}

void convert(Session& session, const FrameFilesRequest& request, Configuration saved) {
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
  write_plane_files(session, *volume,
                    {request.pattern, request.stack.start, request.resume, std::move(inputs),
                     request.plugins.get(), std::move(labels), std::move(saved)});
  opener.corrections().report();
}

}  // namespace

int run_frame_files(const Invocation& call, const FrameFilesCommand& command, FrameFilesRequest request) {
  CommandLine line(call.program, "--input FILE --output-pattern PATTERN [options]", command.description);
  declare(line, command, request);
  if (!line.parse(call.arguments)) return kDone;
  understand(command, request);
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_writer, Kind::destriper});
  convert(session, request, configuration_of(command.name, line, request.plugins.get()));
  return kDone;
}

}  // namespace spim::cli
