/// view-slice: a picture of a plane, so that a user can look.

#include <fmt/format.h>

#include <filesystem>

#include "command.hpp"
#include "planes.hpp"
#include "plugin_choice.hpp"
#include "recognition.hpp"
#include "session.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/publication.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

/// Levels are chosen so that the longer side of a picture is about as long as a screen.
constexpr std::int64_t kScreen = 2048;

struct Request {
  CommonOptions common;
  PluginChoice plugins;
  std::vector<std::string> paths;
  std::string output, axis = "z", at = "middle", contrast = "auto";
  std::int64_t level = -1;
  std::int64_t frame = -1;
  bool max_projection = false;
};

void declare(CommandLine& line, Request& request) {
  line.arguments({"PATH", "", "camera file, or root of a volume"}, request.paths, {1, 1});
  line.group("What to show");
  line.choice(
      {"axis", "AXIS", "axis across which the plane lies: x, y or z; of a camera file always f, the frames"},
      request.axis, {"x", "y", "z", "f"});
  line.text({"at", "N", "which plane, counted from 0 in voxels of the level, or middle"}, request.at);
  line.integer({"frame", "N", "frame of a camera file, the same as --at; -1 means the middle one"},
               request.frame, {-1, 1e15});
  line.integer(
      {"level", "N",
       "level of the pyramid, 0 is full resolution; -1 means the first that is not much larger than a "
       "screen"},
      request.level, {-1, 62});
  line.flag({"max-projection", "", "show the brightest value along the axis instead of one plane"},
            request.max_projection);
  line.group("Picture");
  line.text({"output,o", "FILE", "PNG file to write, 8-bit grey"}, request.output);
  line.text({"contrast", "BLACK,WHITE",
             "grey levels shown as black and white; auto takes percentiles of what is not 0"},
            request.contrast);
  add_overwrite_option(line, request.common);
  line.group("Input");
  request.plugins.add_reader(line);
  line.integer({"n-workers,workers", "N", "threads that read; 0 means one per core"}, request.common.workers,
               {0, 4096});
  request.plugins.add_general(line);
  add_general_options(line, request.common);
}

/// Planes to show of `planes`.
std::pair<std::int64_t, std::int64_t> range_of(const Request& request, std::int64_t planes) {
  if (request.max_projection) return {0, planes};
  const std::int64_t at = request.frame >= 0       ? request.frame
                          : request.at == "middle" ? planes / 2
                                                   : parse_integer(request.at);
  if (at < 0 || at >= planes)
    throw UsageError(
        fmt::format("{}: there is no plane {}; the last is {}", request.paths.front(), at, planes - 1));
  return {at, at + 1};
}

std::int32_t level_of(const Request& request, VolumeReader& reader, Axis axis) {
  const std::int32_t levels = reader.info().levels;
  if (request.level >= levels)
    throw UsageError(fmt::format("{}: there is no level {}; the coarsest is {}", request.paths.front(),
                                 request.level, levels - 1));
  if (request.level >= 0) return static_cast<std::int32_t>(request.level);
  for (std::int32_t level = 0; level + 1 < levels; ++level) {
    Index3 shape = reader.level(level).shape;
    if (axis == Axis::x) shape.x = 1;
    if (axis == Axis::y) shape.y = 1;
    if (axis == Axis::z) shape.z = 1;
    if (std::max({shape.x, shape.y, shape.z}) <= kScreen) return level;
  }
  return levels - 1;
}

Picture show_volume(Session& session, const Request& request) {
  const auto reader = open_volume(session.registry(), session.host(), request.plugins.get().volume_reader,
                                  request.paths.front());
  if (request.frame >= 0 || request.axis == "f")
    throw UsageError(fmt::format("{}: a volume has no frames; give --axis x, y or z", request.paths.front()));
  const Axis axis = request.axis == "x" ? Axis::x : request.axis == "y" ? Axis::y : Axis::z;
  const std::int32_t level = level_of(request, *reader, axis);
  const auto [begin, end] = range_of(request, extent(reader->level(level).shape, axis));
  return project(*reader, {level, axis, begin, end}, session.executor());
}

Picture show_frames(Session& session, const Request& request, const CommandLine& line) {
  const auto reader =
      open_frames(session.registry(), session.host(), request.plugins.get().reader, request.paths.front());
  if ((line.given("axis") && request.axis != "f") || request.level > 0)
    throw UsageError(fmt::format("{}: a camera file has frames only; leave out --axis and --level",
                                 request.paths.front()));
  const auto [begin, end] = range_of(request, reader->info().frames);
  return project_frames(*reader, begin, end, session.executor());
}

Contrast contrast_of(const Request& request, const Picture& picture) {
  if (request.contrast == "auto") return automatic_contrast(picture);
  const std::vector<std::string> parts = split(request.contrast, ',');
  if (parts.size() == 2) {
    const std::int64_t black = parse_integer(parts[0]);
    const std::int64_t white = parse_integer(parts[1]);
    if (black >= 0 && black < white && white <= 65535)
      return {static_cast<std::uint16_t>(black), static_cast<std::uint16_t>(white)};
  }
  throw UsageError(
      fmt::format("option --contrast: \"{}\" is neither auto nor two grey levels BLACK,WHITE, 0 <= BLACK < "
                  "WHITE <= 65535",
                  request.contrast));
}

}  // namespace

int run_view_slice(const Invocation& call) {
  Request request;
  CommandLine line(
      call.program, "PATH -o FILE.png [options]",
      "Writes a picture of a plane of a volume, of a frame of a camera file, or of a maximum projection. "
      "Rows and columns are y and x across z, z and x across y, z and y across x; samples are made square.");
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  if (request.output.empty()) throw UsageError("--output is missing; say which PNG file to write");

  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_reader});
  if (std::filesystem::is_directory(request.output))
    throw UsageError(fmt::format("{} is a folder; give --output a file for the picture", request.output));
  const std::vector<std::filesystem::path> inputs{request.paths.front()};
  Publication publication(request.output, request.common.overwrite, inputs);
  const Kind kind = recognise(session.registry(), request.paths.front(), request.plugins.get());
  const Picture picture =
      kind == Kind::volume_reader ? show_volume(session, request) : show_frames(session, request, line);
  const Contrast contrast = contrast_of(request, picture);
  const Picture square = with_square_samples(picture);
  write_png(publication.path(), square, contrast);
  publication.commit();
  if (!request.common.silent)
    fmt::print("{}: {} x {} pixels, black {}, white {}\n", request.output, square.columns, square.rows,
               contrast.black, contrast.white);
  return kDone;
}

}  // namespace spim::cli
