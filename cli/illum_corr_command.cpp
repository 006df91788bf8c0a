/// oblique-illum-corr: the illumination profile of a microscope from its own camera files.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "command.hpp"
#include "output_options.hpp"
#include "plugin_choice.hpp"
#include "scan_options.hpp"
#include "spim/host/illumination.hpp"
#include "spim/host/publication.hpp"
#include "spim/host/tiff_image.hpp"
#include "spim/host/tiles.hpp"
#include "values.hpp"
#include "version.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// What the original program compressed with.
constexpr int kDeflate = 3;

struct Request {
  std::vector<std::string> files;
  std::string output, intermediate_output;
  std::string dark = "auto";
  std::int64_t seed = 1234;
  IlluminationSettings settings;
  CommonOptions common;
  StackOptions stack;
  PluginChoice plugins;
};

void declare(CommandLine& line, Request& request) {
  IlluminationSettings& s = request.settings;
  line.arguments({"FILE", "", "camera files, or folders in the layout of an acquisition's channel"},
                 request.files, {0, 1'000'000});
  line.group("Input and output");
  line.text({"output,o", "FILE", "profile to write, a float32 TIFF image"}, request.output);
  line.text({"intermediate-output", "FILE",
             "also write the value at the percentile of every pixel, a uint16 TIFF image"},
            request.intermediate_output);
  add_overwrite_option(line, request.common);
  request.plugins.add_reader(line);
  add_stack_options(line, request.stack);
  line.group("Measurement");
  line.integer({"n-frames", "N", "frames to take at random of all frames of all files; 0 means all"},
               s.frames, {0, 1e15});
  line.integer({"n-bins", "N", "bins of the histogram of a pixel"}, s.percentile.bins, {2, 65536});
  line.integer({"values-per-bin", "N", "grey levels of a bin; brighter ones count as the last bin"},
               s.percentile.values_per_bin, {1, 65536});
  line.number({"percentile", "PERCENT",
               "of the samples that are not below the background; high, to meet tissue at every pixel"},
              s.percentile.percentile, {0, 100});
  line.integer({"background", "LEVEL", "samples below are not counted, grey level"}, s.percentile.background,
               {0, 65535});
  line.text(
      {"dark", "LEVEL",
       "grey level of the camera without light, subtracted before the fit; auto finds it in the frames, "
       "0 leaves it in as the original program did"},
      request.dark);
  line.integer({"min-samples", "N", "pixels in each random trial of the fit"}, s.min_samples, {4, 100'000});
  line.integer({"seed", "N", "decides everything that is random"}, request.seed, {0, 9e15});
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
}

void understand(Request& request) {
  if (request.files.empty()) throw UsageError("FILE is missing; say which camera files to measure");
  if (request.output.empty()) throw UsageError("--output is missing; say where to write the profile");
  if (request.dark != "auto") {
    try {
      request.settings.dark = parse_number(request.dark);
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("option --dark: {}, nor auto", error.what()));
    }
  }
  request.settings.seed = static_cast<std::uint64_t>(request.seed);
  request.settings.percentile.memory_bytes = request.common.memory();
  request.settings.orientation = {static_cast<int>(request.stack.rotate_90), request.stack.flip_ud};
}

/// The files that were named, and those in folders that were.
std::vector<fs::path> camera_files(const Request& request) {
  std::vector<fs::path> files;
  for (const std::string& name : request.files) {
    if (!fs::is_directory(name)) {
      files.emplace_back(name);
      continue;
    }
    for (const TilePath& tile : find_camera_tiles(name)) files.push_back(tile.path);
  }
  return files;
}

std::vector<CameraStack> open_stacks(Session& session, const Request& request,
                                     const std::vector<fs::path>& files) {
  const StackOpener opener(session, request.plugins.get(), request.stack);
  std::vector<CameraStack> stacks;
  for (const fs::path& file : files) stacks.push_back({file.string(), opener.open_stored(file)});
  return stacks;
}

/// What readers of the image are told; "shape" is what tifffile writes and reads.
std::string description_of(const Request& request, const Illumination& result, std::string_view content) {
  const Surface& s = result.surface;
  return nlohmann::ordered_json{{"shape", {result.profile.rows, result.profile.columns}},
                                {"content", content},
                                {"made_by", fmt::format("spimstitch {} oblique-illum-corr", kVersion)},
                                {"frames", result.frames},
                                {"files", request.files.size()},
                                {"percentile", request.settings.percentile.percentile},
                                {"background", request.settings.percentile.background},
                                {"dark", result.dark},
                                {"seed", request.seed},
                                {"surface", {{"x2", s.a}, {"x", s.b}, {"y", s.c}, {"1", s.d}}}}
      .dump();
}

void report(Session& session, const Request& request, const Illumination& result) {
  if (request.dark == "auto" && !result.dark_was_seen)
    session.warn(fmt::format(
        "{}: no unlit pixels were sampled, so the camera's dark level was taken to be {:.1f}; give --dark",
        request.output, result.dark));
  if (result.clipped > 0)
    session.warn(
        fmt::format("{}: the fitted profile falls below the background of {} on {:.1f} % of the frame and "
                    "was raised to it",
                    request.output, request.settings.percentile.background, 100 * result.clipped));
  if (request.common.silent) return;
  const auto [least, most] =
      std::minmax_element(result.profile.samples.begin(), result.profile.samples.end());
  const double pixels = static_cast<double>(result.profile.samples.size());
  fmt::print(
      "{}: {} x {} pixels from {} frames, darkest over brightest {:.3f}, dark level {:.1f}, {:.1f} % of the "
      "pixels used, {:.1f} % of them near the profile\n",
      request.output, result.profile.columns, result.profile.rows, result.frames, *least / *most, result.dark,
      100 * static_cast<double>(result.usable) / pixels, 100 * result.agreement);
}

void measure(Session& session, const Request& request, const CommandLine& line) {
  const std::vector<fs::path> files = camera_files(request);
  Publication output(request.output, request.common.overwrite, files);
  std::optional<Publication> intermediate;
  if (!request.intermediate_output.empty()) {
    if (fs::weakly_canonical(fs::absolute(request.output)) ==
        fs::weakly_canonical(fs::absolute(request.intermediate_output)))
      throw UsageError("--output and --intermediate-output are the same file; give two names");
    intermediate.emplace(request.intermediate_output, request.common.overwrite, files);
  }
  const std::vector<CameraStack> stacks = open_stacks(session, request, files);
  const Illumination result =
      measure_illumination(stacks, request.settings, session.executor(), session.progress());
  if (request.settings.frames > result.frames)
    session.warn(fmt::format("{}: {} frames were asked for, there are {}; all were used", request.output,
                             request.settings.frames, result.frames));
  session.log(LogLevel::info,
              fmt::format("{}: {} of each pixel kept, {} rows at a time, {} of memory", request.output,
                          result.plan.store == SampleStore::values ? "all values" : "a histogram",
                          result.plan.band_rows, format_bytes(result.plan.memory_bytes)));
  write_tiff(output.path(), result.profile.view(),
             {kDeflate, description_of(request, result, "illumination profile, grey levels above dark")},
             request.output);
  if (intermediate) {
    write_tiff(intermediate->path(), result.percentiles.view(),
               {kDeflate, description_of(request, result, "grey level at the percentile of each pixel")},
               request.intermediate_output);
    intermediate->commit();
  }
  output.commit();
  Configuration saved = configuration_of("oblique-illum-corr", line, request.plugins.get());
  // Elsewhere an option of that name belongs to a destriper and is kept with it.
  saved.options["percentile"] = format_number(request.settings.percentile.percentile);
  save_configuration(saved, configuration_path(request.output));
  report(session, request, result);
}

}  // namespace

int run_illum_corr(const Invocation& call) {
  Request request;
  CommandLine line(
      call.program, "--output FILE FILE… [options]",
      "Measures how unevenly the microscope lights its frames: the value at a percentile of every pixel's "
      "bright samples, then the surface A x² + B x + C y + D that most pixels agree with. The image serves "
      "as "
      "--flat; frames are divided by it relative to its brightest pixel, after the dark level is "
      "subtracted.");
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  understand(request);
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader});
  measure(session, request, line);
  return kDone;
}

}  // namespace spim::cli
