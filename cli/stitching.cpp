#include "stitching.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "alignment_file.hpp"

#include "recognition.hpp"
#include "spim/host/converted_volume.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/mosaic.hpp"
#include "spim/host/oblique_volume.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// A tile opened as a volume.
struct OpenTile {
  std::shared_ptr<VolumeSource> volume;
  Vec3 origin_um;  ///< of voxel (0,0,0), relative to the stage position
};

/// Recognises what a reader of `kind` claims: that called `reader`, or any when it is empty.
TileTest claimed_by(Session& session, Kind kind, const std::string& reader) {
  std::vector<Item> items = session.registry().items(kind);
  if (!reader.empty()) items = {session.registry().find(kind, reader)};
  return [items](const fs::path& path) {
    return std::ranges::any_of(items, [&](const Item& i) { return confidence(i, path) > 0; });
  };
}

/// Recognises camera files: those that a reader claims, and everything called .dcimg, so that a damaged one
/// is an error and not overlooked.
TileTest camera_file_test(Session& session, const std::string& reader) {
  return [claimed = claimed_by(session, Kind::frame_reader, reader)](const fs::path& path) {
    return is_dcimg_name(path) || claimed(path);
  };
}

bool holds_camera_file(const fs::path& folder, const TileTest& is_camera_file, int depth) {
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    if (i->path().filename().string().starts_with('.')) continue;
    if (i->is_directory() ? depth > 1 && holds_camera_file(i->path(), is_camera_file, depth - 1)
                          : is_camera_file(i->path()))
      return true;
  }
  return false;
}

OpenTile open_camera_tile(const fs::path& path, StackOpener& opener, const ScanSettings& scan) {
  auto frames = opener.open(path);
  const ObliqueGeometry geometry(scan, frames->shape());
  return {oblique_volume(std::move(frames), scan), geometry.origin_um()};
}

OpenTile open_volume_tile(Session& session, const fs::path& path, const StitchRequest& request) {
  const std::shared_ptr<VolumeReader> reader =
      open_volume(session.registry(), session.host(), request.plugins.get().volume_reader, path);
  const ScanSettings scan = request.scan.settings();
  const LevelInfo level = reader->level(0);
  const Vec3 voxel_um = ObliqueGeometry(scan, {1, 1, 1}).voxel_um();
  if (level.voxel_um.x > 0 && std::abs(level.voxel_um.x / voxel_um.x - 1) > 0.01)
    session.warn(fmt::format("{}: its voxels are {} um long in x, but --x-step-size says {}", path.string(),
                             level.voxel_um.x, voxel_um.x));
  ValidRegion region{level.shape, 0, 0, level.shape.x, 1};
  Vec3 origin_um;
  if (request.stitch.is_oblique) {
    region = region_of_converted(scan, level.shape);
    if (scan.direction < 0) origin_um.x = -static_cast<double>(region.frames - 1) * scan.x_step_um;
  }
  return {converted_volume(reader, 0, region, voxel_um), origin_um};
}

/// Tiles of one acquisition have one shape; only the number of frames may differ, when stacks that were cut
/// short are allowed.
void check_shapes(const std::vector<TilePath>& paths, const std::vector<OpenTile>& tiles,
                  const StitchRequest& request) {
  const Index3 first = tiles.front().volume->shape();
  for (std::size_t i = 1; i < tiles.size(); ++i) {
    const Index3 shape = tiles[i].volume->shape();
    const bool same_length = shape.x == first.x || request.stack.allow_truncated;
    if (shape.y == first.y && shape.z == first.z && same_length) continue;
    throw Error(fmt::format("{}: has {} voxels (x,y,z), but {} has {}; tiles must have one shape{}",
                            paths[i].path.string(), format_triple(shape), paths.front().path.string(),
                            format_triple(first),
                            shape.y == first.y && shape.z == first.z
                                ? ", or use --allow-truncated to stitch stacks of other lengths"
                                : ""));
  }
}

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

/// z of the stage, or the rank among the stage's z times --z-offset.
std::vector<double> z_positions(const std::vector<TilePath>& tiles, std::int64_t z_offset,
                                double voxel_z_um) {
  std::set<double> ranks;
  for (const TilePath& tile : tiles) ranks.insert(tile.stage_um.z);
  std::vector<double> z;
  for (const TilePath& tile : tiles) {
    const auto rank = static_cast<double>(std::distance(ranks.begin(), ranks.find(tile.stage_um.z)));
    z.push_back(z_offset == 0 ? tile.stage_um.z : rank * static_cast<double>(z_offset) * voxel_z_um);
  }
  return z;
}

}  // namespace

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

TileKind kind_of_tiles(Session& session, const StitchRequest& request) {
  const TileTest test = camera_file_test(session, "");
  return holds_camera_file(request.stitch.input, test, 3) ? TileKind::camera_files : TileKind::volumes;
}

std::vector<Vec3> tile_positions(const std::vector<TilePath>& tiles, const StitchOptions& options,
                                 Vec3 voxel_um) {
  std::vector<Vec3> positions;
  const std::vector<double> z = z_positions(tiles, options.z_offset, voxel_um.z);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Vec3 stage = tiles[i].stage_um;
    positions.push_back({stage.x, options.negative_y ? -stage.y : stage.y, z[i]});
  }
  if (options.alignment.empty()) return positions;
  const AlignmentFile file(options.alignment);
  std::string unknown;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const auto aligned = file.find(tiles[i].stage_um);
    if (!aligned) {
      unknown += (unknown.empty() ? "" : ", ") + tiles[i].path.string();
      continue;
    }
    positions[i].y = aligned->y;
    if (!options.align_xz && !file.aligns_xz()) continue;
    positions[i].x = aligned->x;
    positions[i].z = aligned->z;
  }
  if (!unknown.empty())
    throw Error(fmt::format("{}: has no position for {}; align this acquisition, or leave out --alignment",
                            options.alignment, unknown));
  return positions;
}

void stitch(Session& session, const StitchRequest& request, TileKind kind, Configuration saved) {
  const bool from_camera = kind == TileKind::camera_files;
  const Selections& plugins = request.plugins.get();
  const std::vector<TilePath> paths =
      from_camera ? find_camera_tiles(request.stitch.input, camera_file_test(session, plugins.reader.id))
                  : find_volume_tiles(request.stitch.input,
                                      claimed_by(session, Kind::volume_reader, plugins.volume_reader.id));
  check_complete(paths, request);

  const ScanSettings scan = request.scan.settings();
  std::vector<OpenTile> tiles;
  StackOpener opener(session, plugins, request.stack);
  if (!from_camera && !opener.corrections().none())
    throw UsageError(
        fmt::format("{}: holds volumes, whose frames cannot be corrected any more; leave out --destripe, "
                    "--flat, --dark and "
                    "--magnification, or stitch the camera files",
                    request.stitch.input));
  for (const TilePath& path : paths) {
    session.executor().cancel().check();
    tiles.push_back(from_camera ? open_camera_tile(path.path, opener, scan)
                                : open_volume_tile(session, path.path, request));
  }
  check_shapes(paths, tiles, request);

  const Vec3 voxel_um = tiles.front().volume->voxel_um();
  std::vector<Vec3> positions = tile_positions(paths, request.stitch, voxel_um);
  for (std::size_t i = 0; i < tiles.size(); ++i) positions[i] = positions[i] + tiles[i].origin_um;
  Vec3 least = positions.front();
  for (const Vec3& p : positions)
    least = {std::min(least.x, p.x), std::min(least.y, p.y), std::min(least.z, p.z)};
  std::vector<PlacedTile> placed;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Vec3 from = positions[i] - least;
    placed.push_back({std::move(tiles[i].volume),
                      {from.x / voxel_um.x, from.y / voxel_um.y, from.z / voxel_um.z},
                      paths[i].path.string()});
  }
  MosaicSettings settings;
  settings.interpolation =
      request.stitch.interpolate == "linear" ? Interpolation::linear : Interpolation::nearest;
  settings.output_offset = request.stitch.output_offset;
  settings.output_size = request.stitch.output_size;
  const auto volume = mosaic(std::move(placed), settings);
  const Index3 offset = request.stitch.output_offset;
  const Vec3 origin =
      least + Vec3{static_cast<double>(offset.x) * voxel_um.x, static_cast<double>(offset.y) * voxel_um.y,
                   static_cast<double>(offset.z) * voxel_um.z};
  const std::string name = fs::absolute(request.stitch.input).lexically_normal().filename().string();
  std::vector<fs::path> inputs{request.stitch.input};
  for (const TilePath& path : paths) inputs.push_back(path.path);  // links may lead out of the folder
  write_volume(session, *volume,
               {request.output, plugins, std::move(inputs), {origin, name}, std::move(saved)});
  opener.corrections().report();
}

}  // namespace spim::cli
