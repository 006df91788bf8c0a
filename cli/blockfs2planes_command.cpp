/// blockfs2tif and blockfs2jp2k: the planes of a volume as files, with the options of the original programs.

#include <fmt/format.h>

#include <filesystem>

#include "command.hpp"
#include "convert_input.hpp"
#include "output_options.hpp"
#include "plane_files.hpp"
#include "plugin_choice.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

struct Request {
  std::string input, pattern;
  InputOptions take;
  StackOptions stack;  ///< of volumes nothing
  std::int64_t compression = 3;
  double psnr = 0;
  bool resume = false;
  CommonOptions common;
  PluginChoice plugins;
};

/// What one of the two programs is.
struct Program {
  std::string_view name;
  std::string writer;
  std::string_view example;
  std::string_view description;
  void (*declare_codec)(CommandLine& line, Request& request);
  void (*set_codec)(Request& request);
};

void declare(CommandLine& line, Request& request, const Program& program) {
  line.group("Input and output");
  line.text({"input,i", "PATH", "volume: its root, the folder of a level, or a blockfs directory file"},
            request.input);
  line.text({"output-pattern,o", "PATTERN",
             "names of the files with z of the plane, such as folder/img_%04d and the ending of the format"},
            request.pattern);
  program.declare_codec(line, request);
  add_overwrite_option(line, request.common);
  line.flag(
      {"resume", "", "keep the files of an interrupted run that are there and whole, and write the others"},
      request.resume);
  request.plugins.add_reader(line);
  add_input_options(line, request.take);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
}

int run(const Invocation& call, const Program& program) {
  Request request;
  CommandLine line(call.program, "--input PATH --output-pattern PATTERN [options]", program.description);
  declare(line, request, program);
  if (!line.parse(call.arguments)) return kDone;
  if (request.input.empty()) throw UsageError("--input is missing; say which volume to convert");
  if (request.pattern.empty())
    throw UsageError(
        fmt::format("--output-pattern is missing; say how to name the files, e.g. {}", program.example));
  if (request.resume && request.common.overwrite)
    throw UsageError("--resume keeps files and --overwrite replaces them; give one of them");
  request.plugins.want_writer(program.writer);
  program.set_codec(request);
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::volume_reader, Kind::volume_writer});
  InputOpener opener(session, request.plugins.get(), request.take, request.stack);
  std::vector<InputChannel> channels = opener.open_volume_channels(request.input);
  if (channels.size() > 1)
    throw UsageError(
        fmt::format("{}: has {} channels; choose one with --channels", request.input, channels.size()));
  const InputChannel& channel = channels.front();
  write_plane_files(session, *channel.volume,
                    {request.pattern,
                     channel.first_plane,
                     request.resume,
                     {request.input},
                     request.plugins.get(),
                     channel.labels(),
                     configuration_of(program.name, line, request.plugins.get())});
  return kDone;
}

}  // namespace

int run_blockfs2tif(const Invocation& call) {
  return run(call, {"blockfs2tif", "tiff", "img_%04d.tiff",
                    "Writes each plane z of a volume as a TIFF file, compressed with deflate. Every chunk is "
                    "decoded once, in memory bounded by --memory; folders are created, and each file appears "
                    "whole or not at all.",
                    [](CommandLine& line, Request& request) {
                      line.integer({"compression,c", "LEVEL", "deflate level, 0 (none) to 9"},
                                   request.compression, {0, 9});
                    },
                    [](Request& request) {
                      request.plugins.set(Kind::volume_writer, "compression",
                                          request.compression > 0 ? "deflate" : "none");
                      if (request.compression > 0)
                        request.plugins.set(Kind::volume_writer, "level",
                                            std::to_string(request.compression));
                    }});
}

int run_blockfs2jp2k(const Invocation& call) {
  return run(call,
             {"blockfs2jp2k", "jp2", "img_%04d.jp2",
              "Writes each plane z of a volume as a JPEG 2000 file. Every chunk is decoded once where the "
              "planes of a layer of chunks fit --memory; folders are created, and each file appears whole "
              "or not at all.",
              [](CommandLine& line, Request& request) {
                line.number({"psnr", "DB", "peak signal to noise ratio in decibels; 0 is lossless"},
                            request.psnr, {0, 200});
              },
              [](Request& request) {
                request.plugins.set(Kind::volume_writer, "psnr", format_number(request.psnr));
              }});
}

}  // namespace spim::cli
