/// spimstitch-pipeline: the camera files of a channel become one volume in one pass.

#include <fmt/format.h>

#include <utility>

#include "command.hpp"

#include "stitching.hpp"

namespace spim::cli {

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

void declare(CommandLine& line, StitchRequest& request, bool& use_wavelets) {
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
  line.group("Corrections");
  request.plugins.add_destripe(line);
  line.flag({"use-wavelets", "", "destripe with wavelets (the same as --destripe wavelet)"}, use_wavelets);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);

  line.refused("illum-corr,flat", "is not available: this version does not correct illumination");
  line.refused("background,dark", "is not available: this version does not correct illumination");
  line.refused("aligner",
               "is not available: this version computes no alignment, it reads one with --alignment");
  line.refused("psnr", "is not available: this version writes no JPEG 2000");
  line.refused(
      "dont-cleanup-intermediates",
      "is not available: the volume is made in one pass without intermediate volumes; use dcimg2oblique "
      "for the volume of one tile");
  for (const auto& [option, variable] : kEnvironment) line.environment(option, variable);
}

/// Says which steps of the original pipeline are not done.
void give_notice(const StitchRequest& request) {
  if (request.common.silent) return;
  std::string missing = "illumination is not corrected";
  if (request.plugins.get().destripe.id.empty()) missing += ", frames are not destriped";
  if (request.stitch.alignment.empty()) missing += ", tiles are placed where the stage says";
  fmt::print(stderr, "note: {} in this version\n", missing);
}

}  // namespace

int run_pipeline(const Invocation& call) {
  StitchRequest request;
  request.output.levels = 7;
  request.stack.rotate_90 = 3;
  request.stack.flip_ud = true;
  std::vector<std::string> channel;
  bool use_wavelets = false;
  CommandLine line(
      call.program, "CHANNEL [options]",
      "Makes one stitched volume of the camera files CHANNEL/<x>/<x>_<y>/<z>.dcimg in one pass, "
      "without intermediate files. Frames are oriented as those of the oblique SPIM microscopes of "
      "the Chung lab unless --rotate-90 and --flip-ud=false say otherwise.");
  line.arguments({"CHANNEL", "", "folder of the channel, e.g. Ex_488_Em_1"}, channel, {0, 1});
  declare(line, request, use_wavelets);
  if (!line.parse(call.arguments)) return kDone;
  if (!channel.empty()) request.stitch.input = channel.front();
  if (request.stitch.input.empty())
    throw UsageError(fmt::format("{} lacks CHANNEL, the folder of the channel; see --help", call.program));
  while (request.stitch.input.size() > 1 && request.stitch.input.ends_with('/'))
    request.stitch.input.pop_back();
  if (request.output.path.empty())
    request.output.path =
        request.stitch.input + (request.plugins.writer_id() == "zarr" ? "_stitched.ngff" : "_stitched");
  if (use_wavelets) request.plugins.want_destripe("wavelet", "--use-wavelets (USE_WAVELETS)");
  if (request.stitch.align_xz && request.stitch.alignment.empty())
    throw UsageError(
        "--align-xz needs --alignment (ALIGN_FILE): this version does not compute an alignment itself");
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session, {Kind::frame_reader, Kind::volume_writer, Kind::destriper});
  give_notice(request);
  stitch(session, request, TileKind::camera_files, configuration_of("pipeline", line, request.plugins.get()));
  return kDone;
}

}  // namespace spim::cli
