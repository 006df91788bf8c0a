#include "command.hpp"

namespace spim::cli {

// To add a command: declare its function here (it stands in <name>_command.cpp) and add a row to the table.
int run_pipeline(const Invocation& call);
int run_plan(const Invocation& call);
int run_status(const Invocation& call);
int run_dcimg2oblique(const Invocation& call);
int run_stack2oblique(const Invocation& call);
int run_oblique2stitched(const Invocation& call);
int run_oblique_align(const Invocation& call);
int run_dcimg2tif(const Invocation& call);
int run_convert(const Invocation& call);
int run_blockfs2tif(const Invocation& call);
int run_blockfs2jp2k(const Invocation& call);
int run_verify(const Invocation& call);
int run_dcimg2jp2(const Invocation& call);
int run_illum_corr(const Invocation& call);
int run_destripe(const Invocation& call);
int run_info(const Invocation& call);
int run_view_slice(const Invocation& call);
int run_simulate(const Invocation& call);
int run_plugins(const Invocation& call);
int run_check_plugin(const Invocation& call);
int run_check(const Invocation& call);
int run_truth_check(const Invocation& call);
int run_seam_check(const Invocation& call);

namespace {

constexpr Command kCommands[] = {
    {"pipeline", "spimstitch-pipeline", "camera files of a channel to one stitched volume, in one pass",
     run_pipeline},
    {"run", "", "the same as pipeline", run_pipeline},
    {"plan", "", "what a run with the same options will need: tiles, disk, memory, time", run_plan},
    {"status", "", "what of a run is done, and what is missing", run_status},
    {"dcimg2oblique", "dcimg2oblique", "a camera file to a deskewed volume", run_dcimg2oblique},
    {"stack2oblique", "stack2oblique", "a stack of frames of any format to a deskewed volume",
     run_stack2oblique},
    {"oblique2stitched", "oblique2stitched",
     "tiles (camera files or deskewed volumes) to one stitched volume", run_oblique2stitched},
    {"oblique-align", "oblique-align", "where the tiles really are, from their overlaps", run_oblique_align},
    {"dcimg2tif", "dcimg2tif", "the frames of a camera file to TIFF files", run_dcimg2tif},
    {"dcimg2jp2", "dcimg2jp2", "the frames of a camera file to JPEG 2000 files", run_dcimg2jp2},
    {"oblique-illum-corr", "oblique-illum-corr",
     "measure the illumination profile of camera files, for --flat", run_illum_corr},
    {"destripe", "", "images or frames to TIFF files without stripes", run_destripe},
    {"convert", "", "a volume or stack, or a part of it, to another format or to files of planes",
     run_convert},
    {"blockfs2tif", "blockfs2tif", "the planes of a volume to TIFF files", run_blockfs2tif},
    {"blockfs2jp2k", "blockfs2jp2k", "the planes of a volume to JPEG 2000 files", run_blockfs2jp2k},
    {"verify", "", "decode everything and name what is damaged", run_verify},
    {"info", "", "what a camera file or a volume is", run_info},
    {"view-slice", "", "a picture of a plane or of a maximum projection", run_view_slice},
    {"simulate", "", "write a synthetic acquisition with known truth", run_simulate},
    {"plugins", "", "the installed plugins, their options, and the refused ones", run_plugins},
    {"check-plugin", "", "try out whether a plugin does what spimstitch relies on", run_check_plugin},
    {"check", "", "check a configuration file before any work is done", run_check},
    {"seam-check", "", "measure how well tiles agree in their overlaps, or how seams look in a volume",
     run_seam_check},
    {"truth-check", "", "compare a stitched volume with the truth of its simulation", run_truth_check},
};

}  // namespace

std::span<const Command> commands() noexcept {
  return kCommands;
}

}  // namespace spim::cli
