/// dcimg2tif: the frames of a camera file become TIFF files.

#include <string>

#include "frame_files.hpp"

namespace spim::cli {

int run_dcimg2tif(const Invocation& call) {
  FrameFilesRequest request;
  request.common.workers = 1;
  std::int64_t compression = 3;
  FrameFilesCommand command;
  command.name = "dcimg2tif";
  command.description =
      "Writes each frame of a camera file as a TIFF file of one page, compressed with deflate. Folders are "
      "created; each file appears whole or not at all.";
  command.kind = "TIFF";
  command.example = "img_%05d.tiff";
  command.writer = "tiff";
  command.declare = [&](CommandLine& line) {
    line.integer({"compression,c", "LEVEL", "deflate level, 0 (none) to 9"}, compression, {0, 9});
  };
  command.choose_codec = [&](PluginChoice& plugins) {
    plugins.set(Kind::volume_writer, "compression", compression > 0 ? "deflate" : "none");
    if (compression > 0) plugins.set(Kind::volume_writer, "level", std::to_string(compression));
  };
  return run_frame_files(call, command, std::move(request));
}

}  // namespace spim::cli
