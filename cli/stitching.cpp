#include "stitching.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "spim/host/alignment_file.hpp"
#include "spim/host/mosaic.hpp"
#include "spim/host/publication.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

void check_complete(const std::vector<TilePath>& tiles, const StitchRequest& request) {
  if (request.stitch.allow_missing) return;
  const std::vector<Vec3> missing = missing_positions(tiles);
  if (missing.empty()) return;
  throw Error(
      fmt::format("{}: the tile at {} is missing{}; restore it, or use --allow-missing-tiles if the scan has "
                  "no such tile",
                  request.stitch.input, position_text(missing.front()),
                  missing.size() > 1 ? fmt::format(" ({} are)", missing.size()) : ""));
}

/// From the voxels that an alignment counted in to those of the volume: what overlaps there overlaps here,
/// also with another voxel size.
Vec3 rescaling(const AlignmentFile& file, const std::string& name, Vec3 voxel_um) {
  const auto aligned_um = file.voxel_um();
  if (!aligned_um) return {1, 1, 1};
  const Vec3 ratio{voxel_um.x / aligned_um->x, voxel_um.y / aligned_um->y, voxel_um.z / aligned_um->z};
  for (const double r : {ratio.x, ratio.y, ratio.z})
    if (!(r > 0.8 && r < 1.25))
      throw Error(
          fmt::format("{}: was made with voxels of {:.4g} x {:.4g} x {:.4g} um, these have {:.4g} x "
                      "{:.4g} x {:.4g} um; align this acquisition",
                      name, aligned_um->x, aligned_um->y, aligned_um->z, voxel_um.x, voxel_um.y, voxel_um.z));
  return ratio;
}

}  // namespace

std::vector<fs::path> stitching_inputs(const StitchRequest& request, const TileFolder& folder) {
  std::vector<fs::path> inputs = request.stack.corrections.inputs();
  inputs.emplace_back(request.stitch.input);
  if (!request.stitch.alignment.empty()) inputs.emplace_back(request.stitch.alignment);
  for (const TilePath& tile : folder.paths())
    inputs.push_back(tile.path);  // links may lead out of the folder
  return inputs;
}

void add_stitch_options(CommandLine& line, StitchOptions& options) {
  line.group("Positions");
  line.text(
      {"alignment", "FILE", "JSON file with the true positions of tiles; without it those of the stage"},
      options.alignment);
  line.flag(
      {"align-xz", "",
       "take x and z from the alignment as well as y, even if the file does not say that they were aligned"},
      options.align_xz);
  line.flag(
      {"negative-y", "",
       "the stage's y runs against the rows of the frames; positions of an alignment file are taken as they "
       "stand"},
      options.negative_y);
  line.integer(
      {"z-offset", "VOXELS",
       "distance in z between tiles that follow each other in z; 0 means as the names of the tiles say"},
      options.z_offset, {0, 1e9});
  line.flag({"allow-missing-tiles", "", "the grid of tiles may have holes"}, options.allow_missing);
  line.group("Mosaic");
  line.choice(
      {"interpolate", "METHOD", "nearest moves tiles by whole voxels, linear interpolates between voxels"},
      options.interpolate, {"nearest", "linear"});
  line.triple({"output-size", "X,Y,Z", "voxels to write; 0 on an axis means all"}, options.output_size,
              {0, 1e12});
  line.triple({"output-offset", "X,Y,Z", "first voxel to write"}, options.output_offset, {0, 1e12});
}

TileAccess tile_access(const StitchRequest& request, TileKind kind) {
  TileAccess access;
  access.input = request.stitch.input;
  access.kind = kind;
  access.plugins = request.plugins.get();
  access.scan = request.scan.settings();
  access.stack = request.stack;
  access.is_oblique = request.stitch.is_oblique;
  return access;
}

std::vector<Vec3> nominal_positions(const std::vector<TilePath>& tiles, const StitchOptions& options,
                                    Vec3 voxel_um) {
  return nominal_positions(tiles, StagePlacement{options.negative_y, options.z_offset, voxel_um.z});
}

Placement place_tiles(const std::vector<TilePath>& tiles, const StitchOptions& options, Vec3 voxel_um) {
  Placement placement{nominal_positions(tiles, options, voxel_um), {}, {}};
  if (options.alignment.empty()) return placement;
  const AlignmentFile file(options.alignment);
  const Vec3 rescale = rescaling(file, options.alignment, voxel_um);
  std::string unknown;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const auto aligned = file.find(tiles[i].stage_um);
    if (!aligned) {
      unknown += (unknown.empty() ? "" : ", ") + tiles[i].path.string();
      continue;
    }
    Vec3& at = placement.positions_um[i];
    at.y = aligned->y * rescale.y;
    if (!options.align_xz && !file.aligns_xz()) continue;
    at.x = aligned->x * rescale.x;
    at.z = aligned->z * rescale.z;
  }
  if (!unknown.empty())
    throw Error(fmt::format("{}: has no position for {}; align this acquisition, or leave out --alignment",
                            options.alignment, unknown));
  placement.verdict = file.verdict();
  placement.origin_um.y = file.origin_um().y;
  if (options.align_xz || file.aligns_xz()) placement.origin_um = file.origin_um();
  return placement;
}

void check_stitching(const StitchRequest& request, const TileFolder& folder) {
  check_complete(folder.paths(), request);
  const std::vector<fs::path> inputs = stitching_inputs(request, folder);
  const Publication refuses(request.output.path, request.common.overwrite, inputs);
}

StitchedVolume open_stitched(Session& session, const StitchRequest& request, TileFolder& folder) {
  const std::vector<TilePath>& paths = folder.paths();
  check_complete(paths, request);
  std::vector<OpenTile> tiles;
  if (folder.kind() != TileKind::camera_files && !folder.corrections().none())
    throw UsageError(
        fmt::format("{}: holds volumes, whose frames cannot be corrected any more; leave out --destripe, "
                    "--flat, --dark and "
                    "--magnification, or stitch the camera files",
                    request.stitch.input));
  std::vector<Index3> shapes;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    session.executor().cancel().check();
    tiles.push_back(folder.open(i, StackChecks::report));
    shapes.push_back(tiles.back().volume->shape());
  }
  check_shapes(paths, shapes, request.stack);

  const Vec3 voxel_um = tiles.front().volume->voxel_um();
  Placement placement = place_tiles(paths, request.stitch, voxel_um);
  if (placement.verdict == verdict_text(Verdict::do_not_use))
    session.warn(
        fmt::format("{}: the alignment itself says: {}", request.stitch.alignment, placement.verdict));
  std::vector<Vec3>& positions = placement.positions_um;
  for (std::size_t i = 0; i < tiles.size(); ++i) positions[i] = positions[i] + tiles[i].origin_um;
  Vec3 least = positions.front();
  for (const Vec3& p : positions)
    least = {std::min(least.x, p.x), std::min(least.y, p.y), std::min(least.z, p.z)};
  const std::vector<Vec3> nominal = nominal_positions(paths, request.stitch, voxel_um);
  std::vector<StitchedTile> listed;
  std::vector<PlacedTile> placed;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Vec3 from = positions[i] - least;
    const ValidRegion region = tiles[i].volume->region();
    listed.push_back({paths[i].path.string(), paths[i].stage_um, nominal[i] + tiles[i].origin_um,
                      positions[i] + placement.origin_um, region,
                      region.frames * region.shape.y * region.shape.z * bytes_of(tiles[i].volume->type())});
    placed.push_back({std::move(tiles[i].volume),
                      {from.x / voxel_um.x, from.y / voxel_um.y, from.z / voxel_um.z},
                      paths[i].path.string()});
  }
  MosaicSettings settings;
  settings.interpolation =
      request.stitch.interpolate == "linear" ? Interpolation::linear : Interpolation::nearest;
  settings.output_offset = request.stitch.output_offset;
  settings.output_size = request.stitch.output_size;
  auto volume = mosaic(std::move(placed), settings);
  const Index3 offset = request.stitch.output_offset;
  const Vec3 origin =
      placement.origin_um + least +
      Vec3{static_cast<double>(offset.x) * voxel_um.x, static_cast<double>(offset.y) * voxel_um.y,
           static_cast<double>(offset.z) * voxel_um.z};
  return {std::move(volume),
          {origin, fs::absolute(request.stitch.input).lexically_normal().filename().string()},
          std::move(listed)};
}

void stitch(Session& session, const StitchRequest& request, TileFolder& folder, Configuration saved) {
  const StitchedVolume stitched = open_stitched(session, request, folder);
  write_volume(session, *stitched.volume,
               {request.output, request.plugins.get(), stitching_inputs(request, folder), stitched.labels,
                std::move(saved)});
  folder.corrections().report();
}

}  // namespace spim::cli
