#pragma once
/// Aligning the tiles of an acquisition and saving what was found.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "plugin_choice.hpp"
#include "session.hpp"
#include "spim/host/alignment.hpp"
#include "spim/host/config.hpp"
#include "spim/host/solve.hpp"
#include "tile_folder.hpp"

namespace spim::cli {

/// How the shifts of pairs become positions.
struct SolveOptions {
  double stage_voxels = 10;
  double tolerance_voxels = 1;
  bool keep_voxel_size = false;
  std::int64_t seed = 1;
};
/// --stage-error, --tolerance, --keep-voxel-size, --seed.
void add_solve_options(CommandLine& line, SolveOptions& options);

/// Everything that an alignment needs beside the tiles.
struct AlignRequest {
  SolveOptions solve;
  bool align_xz = false;
  StagePlacement placement;
  StackOptions stack;
  bool second_aligner = true;  ///< ask phase as well
};

/// What the host must know of the tiles of `folder`; `voxel_um` becomes the pitch of the level in use. Every
/// tile is opened once. Throws Error when tiles have different shapes.
std::vector<TileToAlign> describe_tiles(Session& session, TileFolder& folder, const AlignRequest& request,
                                        Vec3& voxel_um);

/// Aligns the tiles of `folder`, whose access corrects no frames: that would cost a whole frame per window.
/// `plugins` are those of the command, completed.
AlignmentResult align(Session& session, TileFolder& folder, const Selections& plugins,
                      const AlignRequest& request);

/// Says on standard output what was found: verdict, figures, findings.
void print_alignment(const AlignmentResult& result);

/// What a page about an alignment is made from.
struct ReportRequest {
  std::filesystem::path file;
  std::string title;  ///< of the acquisition
  const Configuration& made_by;
};
/// Writes a page about `result`, see alignment_report.hpp; reads parts of a few overlaps for its pictures.
/// Throws Error.
void save_report(TileFolder& folder, const AlignmentResult& result, const ReportRequest& request);

/// Refuses (Error) when `file` exists and --overwrite was not given.
void check_alignment_target(const std::filesystem::path& file, const CommonOptions& options);
/// The same for a page.
void check_report_target(const std::filesystem::path& file, const CommonOptions& options);

}  // namespace spim::cli
