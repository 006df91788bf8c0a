#include "aligning.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "overlap_pictures.hpp"
#include "spim/host/align_tiles.hpp"
#include "spim/host/alignment_report.hpp"
#include "spim/host/instances.hpp"

namespace spim::cli {

namespace {

/// Asked where the first aligner finds nothing, or where nothing confirms it.
constexpr const char* kSecondAligner = "phase";

bool has(const Registry& registry, std::string_view id) {
  return std::ranges::any_of(registry.items(Kind::aligner),
                             [&](const Item& item) { return item.spec->id == id; });
}

/// The chosen aligner, and the second one with those of its options that it knows.
std::vector<NamedAligner> open_aligners(Session& session, const Selection& chosen, bool second) {
  std::vector<NamedAligner> aligners;
  aligners.push_back({chosen.id, create_aligner(session.registry(), session.host(), chosen)});
  if (!second || chosen.id == kSecondAligner || !has(session.registry(), kSecondAligner)) return aligners;
  const Selection other{kSecondAligner, {}};
  aligners.push_back({other.id, create_aligner(session.registry(), session.host(), other)});
  return aligners;
}

TileOpener opener_of(TileFolder& folder) {
  return [&folder](std::size_t i) -> std::shared_ptr<const VolumeSource> {
    return folder.open(i, StackChecks::none).volume;
  };
}

std::string scale_text(std::string_view name, const ScaleEstimate& scale) {
  if (!scale.determined)
    return fmt::format("{} {:.4f} µm as given: the overlaps do not tell it better\n", name, scale.given_um);
  return fmt::format("{} {:.4f} µm, plus or minus {:.4f} ({:.4f} was given)\n", name, scale.value_um,
                     scale.standard_error_um, scale.given_um);
}

double largest(Vec3 v) noexcept {
  return std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)});
}

}  // namespace

std::vector<TileToAlign> describe_tiles(Session& session, TileFolder& folder, const AlignRequest& request,
                                        Vec3& voxel_um) {
  const std::vector<TilePath>& paths = folder.paths();
  std::vector<TileToAlign> tiles(paths.size());
  std::vector<Index3> shapes;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    session.executor().cancel().check();
    const OpenTile open = folder.open(i, StackChecks::report);
    tiles[i].name = paths[i].path.string();
    tiles[i].stage_um = paths[i].stage_um;
    tiles[i].origin_um = open.origin_um;
    tiles[i].region = open.volume->region();
    shapes.push_back(open.volume->shape());
    voxel_um = open.volume->voxel_um();
  }
  check_shapes(paths, shapes, request.stack);
  const std::vector<Vec3> positions = nominal_positions(paths, request.placement);
  for (std::size_t i = 0; i < tiles.size(); ++i) tiles[i].nominal_um = positions[i];
  return tiles;
}

void add_solve_options(CommandLine& line, SolveOptions& options) {
  line.group("Solution");
  line.number({"stage-error", "VOXELS", "how far tiles may be from where the stage says; a weak bound"},
              options.stage_voxels, {0.01, 1e6});
  line.number({"tolerance", "VOXELS", "overlaps that contradict the others by more are rejected"},
              options.tolerance_voxels, {0.01, 1e3});
  line.flag({"keep-voxel-size", "", "do not estimate the y voxel size (nor the x step with --align-xz)"},
            options.keep_voxel_size);
  line.integer({"seed", "N", "decides which places of the overlaps are compared"}, options.seed, {0, 9e15});
}

AlignmentResult align(Session& session, TileFolder& folder, const Selections& plugins,
                      const AlignRequest& request) {
  AlignSettings settings;
  const std::vector<TileToAlign> tiles = describe_tiles(session, folder, request, settings.voxel_um);
  settings.full_voxel_um = folder.full_voxel_um();
  settings.solve.align_xz = request.align_xz;
  settings.solve.stage_voxels = request.solve.stage_voxels;
  settings.solve.tolerance_voxels = request.solve.tolerance_voxels;
  settings.solve.fit_voxel_size = !request.solve.keep_voxel_size;
  settings.seed = static_cast<std::uint64_t>(request.solve.seed);
  const std::vector<NamedAligner> aligners = open_aligners(session, plugins.aligner, request.second_aligner);
  return align_tiles(tiles, opener_of(folder), aligners, settings, session.executor(), session.progress());
}

void print_alignment(const AlignmentResult& result) {
  std::size_t trusted = 0, linked = 0;
  double shift = 0, error = 0;
  for (const AlignedLink& link : result.links) trusted += link.trusted;
  for (const AlignedTile& tile : result.tiles) {
    linked += tile.linked;
    shift = std::max(shift, largest(tile.shift_voxels));
    if (tile.linked) error = std::max(error, largest(tile.expected_error_voxels));
  }
  fmt::print("overlaps      {} of {} trusted, {} of {} tiles linked\n", trusted, result.links.size(), linked,
             result.tiles.size());
  fmt::print("shifts        up to {:.2f} voxels, {} moved\n", shift,
             result.align_xz ? "x, y and z" : "only y");
  fmt::print("residuals     {:.3f} voxels RMS, worst {:.3f}; expected error of a tile up to {:.3f}\n",
             result.residual_rms_voxels, result.residual_worst_voxels, error);
  fmt::print("{}", scale_text("y voxel size ", result.y_voxel));
  if (result.align_xz) fmt::print("{}", scale_text("x step       ", result.x_step));
  for (const std::string& finding : result.findings) fmt::print("  {}\n", finding);
  fmt::print("verdict: {}\n", verdict_text(result.verdict));
}

void save_report(TileFolder& folder, const AlignmentResult& result, const ReportRequest& request) {
  ReportContent content{request.title, request.made_by, links_to_show(result)};
  for (ShownLink& shown : content.shown)
    shown.pictures = overlap_pictures(result, result.links[shown.link], opener_of(folder));
  save_alignment_report(result, content, request.file);
}

namespace {

/// Found out before hours of work, not after them.
void check_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    throw Error(fmt::format("{}: is no folder; create it, or write {} elsewhere", folder.string(),
                            file.filename().string()));
  if (::access(folder.c_str(), W_OK) != 0)
    throw Error(fmt::format("{}: cannot be written to; make it writable, or write {} elsewhere",
                            folder.string(), file.filename().string()));
}

}  // namespace

void check_alignment_target(const std::filesystem::path& file, const CommonOptions& options) {
  check_folder_of(file);
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw Error(fmt::format("{}: is a folder; name a file for the alignment", file.string()));
  if (!options.overwrite && std::filesystem::exists(file, error))
    throw Error(
        fmt::format("{}: exists; use it with --alignment, choose another name, or use --overwrite to "
                    "align again",
                    file.string()));
}

void check_report_target(const std::filesystem::path& file, const CommonOptions& options) {
  check_folder_of(file);
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw Error(fmt::format("{}: is a folder; name a file for the report", file.string()));
  if (!options.overwrite && std::filesystem::exists(file, error))
    throw Error(
        fmt::format("{}: exists; choose another name for the report, or use --overwrite", file.string()));
}

}  // namespace spim::cli
