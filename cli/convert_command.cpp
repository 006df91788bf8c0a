/// convert: volumes and stacks to any format, whole or in part, several channels into one volume.

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

#include "channel_looks.hpp"
#include "command.hpp"
#include "convert_input.hpp"
#include "output_options.hpp"
#include "plane_files.hpp"
#include "plugin_choice.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

struct Request {
  std::vector<std::string> paths;  ///< the inputs, then the output
  InputOptions input;
  StackOptions stack;
  OutputOptions output;
  ChannelLookOptions looks;
  CommonOptions common;
  PluginChoice plugins;
  bool resume = false;
  bool ome = false;
};

void declare(CommandLine& line, Request& request) {
  line.arguments({"IN... OUT", "",
                  "volumes, or stacks of frames (camera files, folders or patterns of images), one for each "
                  "channel of the output; then the output: a volume, a TIFF file, or a pattern such as "
                  "planes/img_%05d.tif for a file per plane of z"},
                 request.paths, {2, 4096});
  add_input_options(line, request.input);
  request.plugins.add_reader(line);
  add_stack_options(line, request.stack);
  add_output_options(line, request.output, request.common);
  line.flag(
      {"resume", "",
       "of an interrupted run into planes, keep the files that are there and whole, and write the others"},
      request.resume);
  line.flag({"ome", "", "make a TIFF file an OME-TIFF with a pyramid of --levels"}, request.ome);
  request.plugins.add_writer(line);
  add_channel_look_options(line, request.looks);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
}

bool is_pattern(const std::string& output) {
  return output.find('%') != std::string::npos;
}

/// The format that the ending of a name stands for.
std::string writer_for(const std::string& output) {
  const fs::path path = output;
  const std::string ending = lower((path.has_filename() ? path : path.parent_path()).extension().string());
  if (ending == ".tif" || ending == ".tiff" || ending == ".btf") return "tiff";
  if (ending == ".jp2") return "jp2";
  if (ending == ".zarr" || ending == ".ngff") return "zarr";
  if (ending == ".precomputed") return "precomputed";
  if (is_pattern(output))
    throw UsageError(fmt::format(
        "{}: its ending says no format for planes; end it with .tif or .jp2, or give --writer", output));
  return "blockfs";
}

/// Formats of one file without a pyramid unless it is asked for, and without a need for lengths.
bool is_image_file(const std::string& writer) {
  return writer == "tiff" || writer == "jp2";
}

void check_alike(const std::vector<InputChannel>& channels) {
  const Index3 first = channels.front().volume->shape();
  for (const InputChannel& channel : channels)
    if (channel.volume->shape() != first)
      throw Error(fmt::format(
          "{} has {} voxels (x,y,z) but {} has {}; channels must have one shape: choose a part "
          "with --box",
          channel.name, format_triple(channel.volume->shape()), channels.front().name, format_triple(first)));
}

/// A file may be one of the frames of a stack that is given as their folder or a pattern.
void check_is_no_frame(const fs::path& output, const std::vector<fs::path>& inputs) {
  std::error_code ignored;
  if (!fs::is_regular_file(output, ignored)) return;
  const auto folder_of = [](const fs::path& path) { return fs::absolute(path).parent_path(); };
  for (const fs::path& input : inputs) {
    const bool in_folder = fs::equivalent(folder_of(output), input, ignored);
    const bool matches = fs::equivalent(folder_of(output), folder_of(input), ignored) &&
                         ::fnmatch(input.filename().c_str(), output.filename().c_str(), 0) == 0;
    if (in_folder || matches)
      throw Error(
          fmt::format("{} is one of the input {}; choose another output", output.string(), input.string()));
  }
}

/// What the files say of the whole: its name, or that of the first channel.
std::string name_of(const Request& request, const std::vector<InputChannel>& channels) {
  if (channels.size() == 1) return channels.front().name;
  const fs::path output = fs::absolute(request.output.path).lexically_normal();
  return (output.has_filename() ? output : output.parent_path()).stem().string();
}

void convert(Session& session, const Request& request, Configuration saved) {
  const Selections& plugins = request.plugins.get();
  InputOpener opener(session, plugins, request.input, request.stack);
  if (!is_image_file(plugins.writer.id)) opener.need_voxel_size();
  std::vector<InputChannel> channels;
  std::vector<fs::path> inputs;
  for (std::size_t i = 0; i + 1 < request.paths.size(); ++i) {
    inputs.emplace_back(request.paths[i]);
    for (InputChannel& channel : opener.open(request.paths[i])) channels.push_back(std::move(channel));
  }
  check_alike(channels);
  if (is_pattern(request.output.path)) {
    if (channels.size() > 1)
      throw UsageError(fmt::format(
          "{}: planes have one channel and {} were to be written; convert each of them, or choose "
          "one with --channels",
          request.output.path, channels.size()));
    InputChannel& channel = channels.front();
    return write_plane_files(session, *channel.volume,
                             {request.output.path, channel.first_plane, request.resume, std::move(inputs),
                              plugins, channel.labels(), std::move(saved)});
  }
  check_is_no_frame(request.output.path, inputs);
  std::vector<VolumeSource*> sources;
  std::vector<std::string> names;
  for (const InputChannel& channel : channels) {
    sources.push_back(channel.volume.get());
    names.push_back(channel.name);
  }
  write_volume(session, sources,
               {request.output,
                plugins,
                std::move(inputs),
                {channels.front().origin_um, name_of(request, channels), channel_looks(request.looks, names)},
                std::move(saved)});
}

}  // namespace

int run_convert(const Invocation& call) {
  Request request;
  CommandLine line(
      call.program, "IN [IN...] OUT [options]",
      "Converts a volume or a stack, or a part of it, to another format: OME-Zarr, blockfs, one TIFF file, "
      "or a file per plane. The format is that of --writer, or else of the ending of OUT: .zarr, .tif, .jp2, "
      ".precomputed; blockfs without one that is known. Several inputs become the channels of one OME-Zarr "
      "volume. Memory is bounded by --memory; for planes every chunk is decoded once.");
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  request.output.path = request.paths.back();
  const bool planes = is_pattern(request.output.path);
  if (request.resume && !planes)
    throw UsageError(
        fmt::format("--resume goes on with a run into planes; {} is one output", request.output.path));
  if (request.resume && request.common.overwrite)
    throw UsageError("--resume keeps files and --overwrite replaces them; give one of them");
  if (!request.plugins.writer_given()) request.plugins.default_writer(writer_for(request.output.path));
  if (request.ome && request.plugins.writer_id() != "tiff")
    throw UsageError(fmt::format("--ome is for TIFF files; {} is written by {}", request.output.path,
                                 request.plugins.writer_id()));
  if (request.ome) request.plugins.set(Kind::volume_writer, "ome", "true");
  const bool has_pyramid = !is_image_file(request.plugins.writer_id()) || (request.ome && !planes);
  if (!has_pyramid && !line.given("levels")) request.output.levels = 1;
  if (planes && request.output.levels > 1)
    throw UsageError("planes have one level; leave out --levels, or choose one to convert with --level");
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_reader, Kind::volume_writer});
  convert(session, request, configuration_of("convert", line, request.plugins.get()));
  return kDone;
}

}  // namespace spim::cli
