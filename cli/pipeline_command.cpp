/// spimstitch-pipeline: the camera files of a channel become one volume in one pass.

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "aligning.hpp"
#include "command.hpp"
#include "measured_flat.hpp"
#include "spim/host/alignment_file.hpp"
#include "stitching.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// The variables of the original script.
constexpr std::pair<const char*, const char*> kEnvironment[] = {
    {"x-step-size", "X_STEP_SIZE"},
    {"y-voxel-size", "Y_VOXEL_SIZE"},
    {"z-offset", "Z_OFFSET"},
    {"alignment", "ALIGN_FILE"},
    {"align-xz", "ALIGN_XZ"},
    {"negative-y", "NEGATIVE_Y"},
    {"ngff", "NGFF"},
    {"n-workers", "WORKERS"},
    {"use-wavelets", "USE_WAVELETS"},
    {"illum-corr", "ILLUM_CORR"},
    {"background", "BACKGROUND"},
    {"psnr", "PSNR"},
    {"dont-cleanup-intermediates", "DONT_CLEANUP_INTERMEDIATES"},
};

/// What the pipeline adds to stitching.
struct Pipeline {
  StitchRequest stitching;
  bool use_wavelets = false;
  bool align = true;
};

void declare(CommandLine& line, Pipeline& pipeline) {
  StitchRequest& request = pipeline.stitching;
  line.group("Input");
  line.text({"channel", "FOLDER", "the same as CHANNEL"}, request.stitch.input);
  line.group("Output");
  line.text(
      {"output,o", "PATH", "volume to write; without it CHANNEL_stitched, with --ngff CHANNEL_stitched.ngff"},
      request.output.path);
  add_output_options(line, request.output, request.common);
  request.plugins.add_writer(line);
  add_scan_options(line, request.scan);
  add_stack_options(line, request.stack);
  request.plugins.add_reader(line);
  add_range_options(line, request.stack);
  add_stitch_options(line, request.stitch);
  line.group("Alignment");
  line.flag({"align", "",
             "find out where the tiles really are, write it to CHANNEL-align.json and a report about it to "
             "CHANNEL-align.html beside the output, and use it; "
             "this is so unless --align=false or --alignment is given"},
            pipeline.align);
  request.plugins.add_aligner(line);
  add_correction_options(line, request.stack.corrections, request.plugins);
  line.flag({"use-wavelets", "", "destripe with wavelets (the same as --destripe wavelet)"},
            pipeline.use_wavelets);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);

  line.refused("psnr", "is not available here: JPEG 2000 files are written by dcimg2jp2");
  line.refused(
      "dont-cleanup-intermediates",
      "is not available: the volume is made in one pass without intermediate volumes; use dcimg2oblique "
      "for the volume of one tile");
  for (const auto& [option, variable] : kEnvironment) line.environment(option, variable);
}

/// What the original pipeline takes when the user does not say otherwise: destriping by the light sheet, or
/// by wavelets with these bandwidths.
void choose_destripe(StitchRequest& request, bool use_wavelets) {
  if (use_wavelets) request.plugins.want_destripe("wavelet", "--use-wavelets (USE_WAVELETS)");
  request.plugins.default_destripe({"lightsheet", {}});
  if (request.plugins.destripe_id() == "wavelet")
    request.plugins.default_destripe(
        {"wavelet", {{"sigma1", "128"}, {"sigma2", "512"}, {"wavelet", "db5"}, {"crossover", "10"}}});
}

/// Says what is not as in the original pipeline.
void give_notice(const StitchRequest& request) {
  if (request.common.silent) return;
  std::string missing;
  const auto add = [&](std::string_view what) {
    missing += (missing.empty() ? "" : ", ") + std::string(what);
  };
  if (!request.stack.corrections.has_flat()) add("illumination is not corrected");
  if (request.plugins.get().destripe.id.empty()) add("frames are not destriped");
  if (!missing.empty()) fmt::print(stderr, "note: {}\n", missing);
}

/// The tiles as the camera saw them.
TileAccess plain_access(const StitchRequest& request) {
  TileAccess access = tile_access(request, TileKind::camera_files);
  access.plugins.destripe = {};
  access.stack.corrections = {};
  return access;
}

/// Measures the illumination when the user names no profile, and lets the request use it.
void choose_flat(Session& session, StitchRequest& request, const TileFolder& folder, Configuration& saved) {
  std::string& flat = request.stack.corrections.flat;
  if (!flat.empty()) return;
  const std::string path = request.stitch.input + "-illuc.tiff";
  measure_flat(session, request, folder.paths(), path);
  saved.options["flat"] = flat = path;
}

/// Beside the output, named after the channel as the original script does.
fs::path alignment_path(const StitchRequest& request) {
  const fs::path channel = fs::absolute(request.stitch.input).lexically_normal();
  return fs::path(request.output.path).parent_path() / (channel.filename().string() + "-align.json");
}

/// The page about it.
fs::path report_path(const StitchRequest& request) {
  return alignment_path(request).replace_extension(".html");
}

/// Aligns the tiles as the camera saw them, without destriping, and lets the request use what was found.
void align_tiles(Session& session, StitchRequest& request, Configuration& saved) {
  const fs::path target = alignment_path(request);
  check_alignment_target(target, request.common);
  check_report_target(report_path(request), request.common);
  TileFolder folder(session, plain_access(request));
  if (folder.paths().size() < 2) return;
  AlignRequest wanted;
  wanted.align_xz = request.stitch.align_xz;
  wanted.placement = {request.stitch.negative_y, request.stitch.z_offset, folder.full_voxel_um().z};
  wanted.stack = request.stack;
  wanted.second_aligner = !request.plugins.aligner_given();
  const AlignmentResult result = align(session, folder, request.plugins.get(), wanted);
  save_alignment(result, saved, target);
  save_report(folder, result, {report_path(request), request.stitch.input, saved});
  if (!request.common.silent) {
    fmt::print("{}\n{}\n", target.string(), report_path(request).string());
    print_alignment(result);
  }
  if (result.verdict == Verdict::do_not_use) {
    session.warn(
        fmt::format("{}: the overlaps do not tell where the tiles are, so they are placed where the stage "
                    "says; --alignment {} uses the file all the same",
                    request.stitch.input, target.string()));
    return;
  }
  request.stitch.alignment = target.string();
  saved.options["alignment"] = target.string();
}

}  // namespace

int run_pipeline(const Invocation& call) {
  Pipeline pipeline;
  StitchRequest& request = pipeline.stitching;
  request.output.levels = 7;
  request.stack.rotate_90 = 3;
  request.stack.flip_ud = true;
  request.stack.corrections.dark = 100;
  std::vector<std::string> channel;
  CommandLine line(
      call.program, "CHANNEL [options]",
      "Makes one stitched volume of the camera files CHANNEL/<x>/<x>_<y>/<z>.dcimg in one pass, "
      "without intermediate files. Frames are oriented as those of the oblique SPIM microscopes of "
      "the Chung lab unless --rotate-90 and --flip-ud=false say otherwise. Unless --flat, --dark and "
      "--destripe say otherwise the dark level of 100 is subtracted, stripes are removed by the method "
      "lightsheet, and the illumination is measured, kept as CHANNEL-illuc.tiff and divided out.");
  line.arguments({"CHANNEL", "", "folder of the channel, e.g. Ex_488_Em_1"}, channel, {0, 1});
  declare(line, pipeline);
  if (!line.parse(call.arguments)) return kDone;
  if (!channel.empty()) request.stitch.input = channel.front();
  if (request.stitch.input.empty())
    throw UsageError(fmt::format("{} lacks CHANNEL, the folder of the channel; see --help", call.program));
  while (request.stitch.input.size() > 1 && request.stitch.input.ends_with('/'))
    request.stitch.input.pop_back();
  if (request.output.path.empty())
    request.output.path =
        request.stitch.input + (request.plugins.writer_id() == "zarr" ? "_stitched.ngff" : "_stitched");
  choose_destripe(request, pipeline.use_wavelets);
  const bool align = pipeline.align && request.stitch.alignment.empty();
  if (request.stitch.align_xz && !align && request.stitch.alignment.empty())
    throw UsageError("--align-xz (ALIGN_XZ) and --align=false contradict each other; give one of them");
  Session session(request.common, *call.cancel);
  std::vector<Kind> used{Kind::frame_reader, Kind::volume_writer, Kind::destriper};
  if (align)
    used.push_back(Kind::aligner);
  else
    request.plugins.forget_configured(Kind::aligner);
  request.plugins.resolve(session, used);
  Configuration saved = configuration_of("pipeline", line, request.plugins.get());
  {
    const TileFolder plain(session, plain_access(request));
    check_stitching(request, plain);
    choose_flat(session, request, plain, saved);
  }
  give_notice(request);
  if (align) align_tiles(session, request, saved);
  TileFolder folder(session, tile_access(request, TileKind::camera_files));
  stitch(session, request, folder, std::move(saved));
  return kDone;
}

}  // namespace spim::cli
