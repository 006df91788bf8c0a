/// dcimg2tif: the frames of a camera file become TIFF files.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "command.hpp"
#include "plugin_choice.hpp"
#include "scan_options.hpp"
#include "spim/host/name_pattern.hpp"
#include "spim/host/owned_image.hpp"
#include "spim/host/tiff_image.hpp"
#include "tiff_outputs.hpp"

namespace spim::cli {

namespace {

struct Request {
  std::string input;
  std::string pattern;
  std::int64_t compression = 3;
  CommonOptions common;
  StackOptions stack;
  PluginChoice plugins;
};

void declare(CommandLine& line, Request& request) {
  line.group("Input and output");
  line.text({"input,i", "FILE", "camera file to convert"}, request.input);
  line.text(
      {"output-pattern,o", "PATTERN",
       "names of the TIFF files with the number of the frame in the camera file, e.g. folder/img_%05d.tiff"},
      request.pattern);
  line.integer({"compression,c", "LEVEL", "deflate level, 0 (none) to 9"}, request.compression, {0, 9});
  add_overwrite_option(line, request.common);
  request.plugins.add_reader(line);
  add_stack_options(line, request.stack);
  add_range_options(line, request.stack);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
}

}  // namespace

int run_dcimg2tif(const Invocation& call) {
  Request request;
  request.common.workers = 1;
  CommandLine line(
      call.program, "--input FILE --output-pattern PATTERN [options]",
      "Writes each frame of a camera file as a TIFF file of one page, uint16, compressed with deflate. "
      "Folders are created; each file appears whole or not at all.");
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  if (request.input.empty()) throw UsageError("--input is missing; say which camera file to convert");
  if (request.pattern.empty())
    throw UsageError("--output-pattern is missing; say how to name the files, e.g. img_%05d.tiff");
  const NamePattern pattern(request.pattern);
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader});
  StackOpener opener(session, request.plugins.get(), request.stack);
  const auto frames = opener.open(request.input);
  const StackShape shape = frames->shape();

  const auto name = [&](std::int64_t frame) { return pattern.name(request.stack.start + frame); };
  TiffOutputs outputs(static_cast<int>(request.compression), request.common.overwrite);
  outputs.check(shape.frames, name, {request.input});
  session.progress().begin("writing TIFF files", shape.frames * shape.rows * shape.columns * 2);
  session.executor().parallel_for(shape.frames, [&](std::int64_t frame, int) {
    OwnedImage<std::uint16_t> image(shape.rows, shape.columns);
    load_image(*frames, frame, image.view());
    outputs.write(name(frame), std::as_const(image).view());
    session.progress().advance(shape.rows * shape.columns * 2);
  });
  session.progress().end();
  if (!request.common.silent)
    fmt::print("{} to {}: {} frames of {} rows x {} columns\n", name(0), name(shape.frames - 1), shape.frames,
               shape.rows, shape.columns);
  return kDone;
}

}  // namespace spim::cli
