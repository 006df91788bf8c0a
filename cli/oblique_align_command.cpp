/// oblique-align: where the tiles of an acquisition really are.

#include <fmt/format.h>

#include "aligning.hpp"
#include "command.hpp"
#include "output_options.hpp"
#include "spim/error.hpp"
#include "spim/host/alignment_file.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

constexpr double kMostVoxels = 4095;  // of a window

/// Options of the reference that are options of the aligner.
struct AlignerOptions {
  double sigma_um = 2.5;
  std::int64_t sample_count = 20;
  Index3 window{21, 21, 21};
  Index3 blob_window{64, 64, 64};
  Index3 border{10, 10, 10};
  double min_correlation = 0.95;
};

struct Request {
  std::string output, report;
  TileAccess access;
  ScanOptions scan;
  AlignRequest align;
  AlignerOptions aligner;
  PluginChoice plugins;
  CommonOptions common;
  std::int64_t level = 1;
  bool ngff = false;
};

void declare_aligner(CommandLine& line, AlignerOptions& options) {
  line.number({"sigma", "UM", "smoothing of the images that are compared, micrometres"}, options.sigma_um,
              {0, 1e4});
  line.integer({"sample-count", "N", "places that are compared per overlap"}, options.sample_count, {1, 1e6});
  line.triple({"window-size", "X,Y,Z", "voxels that are compared at a place; odd numbers"}, options.window,
              {1, kMostVoxels});
  line.triple({"blob-detection-window-size", "X,Y,Z", "voxels in which bright points are looked for"},
              options.blob_window, {1, kMostVoxels});
  line.triple({"border-size", "X,Y,Z", "voxels around a window that are read at once"}, options.border,
              {0, kMostVoxels});
  line.number({"min-correlation", "R", "places whose correlation stays below do not count"},
              options.min_correlation, {-1, 1});
}

void declare(CommandLine& line, Request& request) {
  line.group("Input and output");
  line.text({"input,i", "FOLDER", "folder of tiles"}, request.access.input);
  line.text({"output,o", "FILE", "alignment file to write, JSON"}, request.output);
  line.text({"report", "FILE",
             "HTML page to write as well: verdict, map of the tiles, offsets, pictures of overlaps before "
             "and after"},
            request.report);
  line.text({"pattern", "GLOB", "only tiles whose path below the folder matches, e.g. '*/*_0/*'"},
            request.access.pattern);
  line.integer({"level", "N", "level of converted volumes to compare; 1 is full resolution, 2 half of it"},
               request.level, {1, 24});
  request.plugins.add_reader(line);
  line.flag({"ngff", "", "the tiles are OME-Zarr volumes (the same as --reader zarr)"}, request.ngff);
  add_overwrite_option(line, request.common);
  line.group("Scan");
  line.number({"voxel-size,y-voxel-size", "UM", "size of a camera pixel in the sample, micrometres"},
              request.scan.y_voxel_um, {kAboveZero, 1e6});
  line.number({"x-step-size", "UM", "distance of the stage between two frames, micrometres"},
              request.scan.x_step_um, {kAboveZero, 1e6});
  line.number({"tilt", "DEGREES", "angle between the light sheet and the stage, above 0 and below 90"},
              request.scan.tilt_degrees, {kAboveZero, 90});
  line.flag({"negative-x", "", "the stage moves towards smaller x during a scan"}, request.scan.negative_x);
  line.flag({"negative-y", "", "the stage's y runs against the rows of the frames"},
            request.align.placement.negative_y);
  line.integer(
      {"z-offset", "VOXELS",
       "distance in z between tiles that follow each other in z; 0 means as the names of the tiles say"},
      request.align.placement.z_offset, {0, 1e9});
  line.flag({"is-oblique", "",
             "the volumes hold an oblique scan, as dcimg2oblique makes them; this is so unless "
             "--is-oblique=false says that they are full boxes"},
            request.access.is_oblique);
  add_stack_options(line, request.access.stack);
  line.group("Comparison");
  request.plugins.add_aligner(line);
  declare_aligner(line, request.aligner);
  line.flag({"align-xz", "", "move tiles in x and z too, not only in y"}, request.align.align_xz);
  add_solve_options(line, request.align.solve);
  line.group("Machine");
  line.integer({"n-cores,n-workers,workers", "N", "threads that read and compute; 0 means one per core"},
               request.common.workers, {0, 4096});
  request.plugins.add_general(line);
  add_general_options(line, request.common);
}

/// What was typed of the aligner's options goes to the plugin; the rest it knows itself.
void pass_on(const CommandLine& line, const AlignerOptions& options, PluginChoice& plugins) {
  const auto pass = [&](const char* name, const std::string& value) {
    if (line.given(name)) plugins.set(Kind::aligner, name, value);
  };
  pass("sigma", format_number(options.sigma_um));
  pass("sample-count", std::to_string(options.sample_count));
  pass("window-size", format_triple(options.window));
  pass("blob-detection-window-size", format_triple(options.blob_window));
  pass("border-size", format_triple(options.border));
  pass("min-correlation", format_number(options.min_correlation));
}

Configuration saved_configuration(const CommandLine& line, const Selections& plugins) {
  Configuration saved = configuration_of("oblique-align", line, plugins);
  for (const char* name : {"sigma", "sample-count", "window-size", "blob-detection-window-size",
                           "border-size", "min-correlation"})
    saved.options.erase(name);
  return saved;
}

}  // namespace

int run_oblique_align(const Invocation& call) {
  Request request;
  CommandLine line(
      call.program, "--input FOLDER --output FILE [options]",
      "Finds out where tiles really are by comparing their overlaps, and writes it to a file that "
      "oblique2stitched --alignment takes. The tiles are converted volumes in folders "
      "<x>/<x>_<y>/<z>, or camera files <x>/<x>_<y>/<z>.dcimg, named by their stage positions in "
      "tenths of a micrometre.");
  declare(line, request);
  if (!line.parse(call.arguments)) return kDone;
  TileAccess& access = request.access;
  if (access.input.empty()) throw UsageError("--input is missing; say which folder holds the tiles");
  if (request.output.empty()) throw UsageError("--output is missing; say where to write the alignment");
  if (request.ngff) request.plugins.want_reader("zarr", "--ngff");
  pass_on(line, request.aligner, request.plugins);
  Session session(request.common, *call.cancel);
  check_alignment_target(request.output, request.common);
  if (!request.report.empty()) {
    check_report_target(request.report, request.common);
    if (std::filesystem::absolute(request.report).lexically_normal() ==
        std::filesystem::absolute(request.output).lexically_normal())
      throw UsageError(fmt::format("--report and --output are both {}; give two files", request.output));
  }
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_reader, Kind::aligner});
  access.plugins = request.plugins.get();
  access.kind = request.ngff ? TileKind::volumes : kind_of_tiles(session, access.input);
  access.scan = request.scan.settings();
  access.level = static_cast<std::int32_t>(request.level - 1);
  request.align.stack = access.stack;
  request.align.second_aligner = !request.plugins.aligner_given();
  TileFolder folder(session, access);
  request.align.placement.voxel_z_um = folder.full_voxel_um().z;
  const AlignmentResult result = align(session, folder, request.plugins.get(), request.align);
  const Configuration saved = saved_configuration(line, request.plugins.get());
  save_alignment(result, saved, request.output);
  if (!request.report.empty()) save_report(folder, result, {request.report, access.input, saved});
  if (!session.options().silent) print_alignment(result);
  return kDone;
}

}  // namespace spim::cli
