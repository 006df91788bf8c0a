#include "tile_folder.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "recognition.hpp"
#include "spim/host/converted_volume.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/oblique_volume.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

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

/// True when the shell pattern matches the tile's path below the root, or that of the blockfs file of its
/// finest level, which the original programs looked for.
bool matches(const std::string& pattern, const fs::path& below) {
  for (const fs::path& path : {below, below / "1_1_1" / "precomputed.blockfs"})
    for (const std::string& text : {path.string(), "./" + path.string()})
      if (::fnmatch(pattern.c_str(), text.c_str(), 0) == 0) return true;
  return false;
}

std::vector<TilePath> find_tiles(Session& session, const TileAccess& access) {
  std::vector<TilePath> tiles =
      access.kind == TileKind::camera_files
          ? find_camera_tiles(access.input, camera_file_test(session, access.plugins.reader.id))
          : find_volume_tiles(access.input,
                              claimed_by(session, Kind::volume_reader, access.plugins.volume_reader.id));
  if (access.pattern.empty()) return tiles;
  std::erase_if(tiles, [&](const TilePath& tile) {
    return !matches(access.pattern, tile.path.lexically_relative(access.input));
  });
  if (tiles.empty())
    throw Error(
        fmt::format("{}: no tile matches the pattern {}; it is compared with paths like 100/100_200/0",
                    access.input, access.pattern));
  return tiles;
}

}  // namespace

TileKind kind_of_tiles(Session& session, const std::string& root) {
  return holds_camera_file(root, camera_file_test(session, ""), 3) ? TileKind::camera_files
                                                                   : TileKind::volumes;
}

TileFolder::TileFolder(Session& session, TileAccess access)
    : session_(&session),
      access_(std::move(access)),
      opener_(session, access_.plugins, access_.stack),
      paths_(find_tiles(session, access_)) {
  if (access_.kind == TileKind::camera_files && access_.level > 0)
    throw UsageError(fmt::format("{}: camera files have no level but the first", access_.input));
}

Vec3 TileFolder::full_voxel_um() const {
  return ObliqueGeometry(access_.scan, {1, 1, 1}).voxel_um();
}

OpenTile TileFolder::open(std::size_t i, StackChecks checks) {
  const fs::path& path = paths_[i].path;
  return access_.kind == TileKind::camera_files ? open_camera_tile(path, checks) : open_volume_tile(path);
}

OpenTile TileFolder::open_camera_tile(const fs::path& path, StackChecks checks) {
  auto frames = opener_.open(path, checks);
  const ObliqueGeometry geometry(access_.scan, frames->shape());
  return {oblique_volume(std::move(frames), access_.scan), geometry.origin_um()};
}

OpenTile TileFolder::open_volume_tile(const fs::path& path) const {
  const std::shared_ptr<VolumeReader> reader =
      open_volume(session_->registry(), session_->host(), access_.plugins.volume_reader, path);
  const std::int32_t level = access_.level, levels = reader->info().levels;
  if (level >= levels)
    throw UsageError(fmt::format("{}: there is no level {}; it has {}", path.string(), level + 1, levels));
  const LevelInfo finest = reader->level(0);
  const Vec3 voxel_um = full_voxel_um();
  if (finest.voxel_um.x > 0 && std::abs(finest.voxel_um.x / voxel_um.x - 1) > 0.01)
    session_->warn(fmt::format("{}: its voxels are {} um long in x, but --x-step-size says {}", path.string(),
                               finest.voxel_um.x, voxel_um.x));
  ValidRegion region{finest.shape, 0, 0, finest.shape.x, 1};
  Vec3 origin_um;
  if (access_.is_oblique) {
    region = region_of_converted(access_.scan, finest.shape);
    if (access_.scan.direction < 0)
      origin_um.x = -static_cast<double>(region.frames - 1) * access_.scan.x_step_um;
  }
  const auto factor = static_cast<double>(std::int64_t{1} << level);
  return {converted_volume(reader, level, coarser_region(region, level, reader->level(level).shape),
                           {voxel_um.x * factor, voxel_um.y * factor, voxel_um.z * factor}),
          origin_um};
}

void check_shapes(const std::vector<TilePath>& paths, const std::vector<Index3>& shapes,
                  const StackOptions& stack) {
  const Index3 first = shapes.front();
  for (std::size_t i = 1; i < shapes.size(); ++i) {
    const Index3 shape = shapes[i];
    const bool same_length = shape.x == first.x || stack.allow_truncated;
    if (shape.y == first.y && shape.z == first.z && same_length) continue;
    throw Error(fmt::format("{}: has {} voxels (x,y,z), but {} has {}; tiles must have one shape{}",
                            paths[i].path.string(), format_triple(shape), paths.front().path.string(),
                            format_triple(first),
                            shape.y == first.y && shape.z == first.z
                                ? ", or use --allow-truncated to stitch stacks of other lengths"
                                : ""));
  }
}

std::vector<Vec3> nominal_positions(const std::vector<TilePath>& tiles, const StagePlacement& placement) {
  std::set<double> ranks;
  for (const TilePath& tile : tiles) ranks.insert(tile.stage_um.z);
  std::vector<Vec3> positions;
  for (const TilePath& tile : tiles) {
    Vec3 at = tile.stage_um;
    if (placement.negative_y) at.y = -at.y;
    if (placement.z_offset != 0)
      at.z = static_cast<double>(std::distance(ranks.begin(), ranks.find(at.z))) *
             static_cast<double>(placement.z_offset) * placement.voxel_z_um;
    positions.push_back(at);
  }
  return positions;
}

}  // namespace spim::cli
