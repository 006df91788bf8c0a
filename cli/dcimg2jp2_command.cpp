/// dcimg2jp2: the frames of a camera file become JPEG 2000 files.

#include <string>

#include "frame_files.hpp"

namespace spim::cli {

int run_dcimg2jp2(const Invocation& call) {
  std::string psnr = "30,40,50,60,70,80";
  FrameFilesCommand command;
  command.name = "dcimg2jp2";
  command.description =
      "Writes each frame of a camera file as a JPEG 2000 file in layers of rising quality. Folders are "
      "created; each file appears whole or not at all.";
  command.kind = "JPEG 2000";
  command.example = "img_%05d.jp2";
  command.writer = "jp2";
  command.declare = [&](CommandLine& line) {
    line.text({"psnr", "DB,DB…",
               "peak signal to noise ratios of the quality layers, rising; a last one of 0 is lossless"},
              psnr);
  };
  command.choose_codec = [&](PluginChoice& plugins) { plugins.set(Kind::volume_writer, "psnr", psnr); };
  return run_frame_files(call, command, {});
}

}  // namespace spim::cli
