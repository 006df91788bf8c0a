/// oblique2stitched: tiles become one volume.

#include "bridged_frames.hpp"
#include "command.hpp"
#include "stitching.hpp"

namespace spim::cli {

int run_oblique2stitched(const Invocation& call) {
  StitchRequest request;
  CommandLine line(
      call.program, "--input FOLDER --output PATH [options]",
      "Stitches tiles into one volume. The tiles are converted volumes in folders <x>/<x>_<y>/<z>, or "
      "camera files <x>/<x>_<y>/<z>.dcimg, named by their stage positions in tenths of a micrometre. "
      "Where tiles overlap they are blended, each with the square of the distance to the nearest "
      "face of its own data.");
  line.group("Input and output");
  line.text({"input,i", "FOLDER", "folder of tiles"}, request.stitch.input);
  line.text({"output,o", "PATH", "volume to write"}, request.output.path);
  add_stitch_options(line, request.stitch);
  add_scan_options(line, request.scan);
  line.flag(
      {"is-oblique", "",
       "the volumes hold an oblique scan, as dcimg2oblique makes them; this is so unless --is-oblique=false "
       "says that they are full boxes"},
      request.stitch.is_oblique);
  add_stack_options(line, request.stack);
  add_bad_frame_option(line, request.stack);
  request.plugins.add_reader(line);
  add_correction_options(line, request.stack.corrections, request.plugins);
  add_output_options(line, request.output, request.common);
  request.plugins.add_writer(line);
  add_work_options(line, request.common);
  request.plugins.add_general(line);
  add_general_options(line, request.common);
  constexpr const char* kNoIllumination = "is not available: this version does not correct illumination";
  line.refused("y-illum-corr,compute-y-illum-corr", kNoIllumination);
  line.refused("n-y-illum-patches,min-y-illum-mean,min-y-illum-corr-coef", kNoIllumination);
  if (!line.parse(call.arguments)) return kDone;
  if (request.stitch.input.empty()) throw UsageError("--input is missing; say which folder holds the tiles");
  if (request.output.path.empty()) throw UsageError("--output is missing; say where to write the volume");
  Session session(request.common, *call.cancel);
  request.plugins.resolve(session,
                          {Kind::frame_reader, Kind::volume_reader, Kind::volume_writer, Kind::destriper});
  TileFolder folder(session, tile_access(request, kind_of_tiles(session, request.stitch.input)));
  stitch(session, request, folder, configuration_of("oblique2stitched", line, request.plugins.get()));
  warn_of_bad_frames(session);
  return kDone;
}

}  // namespace spim::cli
