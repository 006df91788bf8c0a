#include "volume_seams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "spim/host/alignment_file.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/volume_seams.hpp"
#include "values.hpp"

namespace spim::cli {

namespace {

/// The tiles of the volume: all of one shape, which is what the volume exceeds the span of their positions
/// by.
std::vector<TileToAlign> tiles_of(const VolumeSeamRequest& request, const LevelInfo& level, Vec3 voxel_um) {
  const AlignmentFile file(request.alignment);
  const Vec3 counted = file.voxel_um().value_or(voxel_um);
  std::vector<TileToAlign> tiles;
  Vec3 low, high;
  for (const auto& [stage, aligned] : file.positions()) {
    const Vec3 at{aligned.x * voxel_um.x / counted.x, aligned.y * voxel_um.y / counted.y,
                  aligned.z * voxel_um.z / counted.z};
    low = tiles.empty() ? at : Vec3{std::min(low.x, at.x), std::min(low.y, at.y), std::min(low.z, at.z)};
    high = tiles.empty() ? at : Vec3{std::max(high.x, at.x), std::max(high.y, at.y), std::max(high.z, at.z)};
    TileToAlign& tile = tiles.emplace_back();
    tile.name = fmt::format("{:.1f},{:.1f},{:.1f}", stage.x, stage.y, stage.z);
    tile.stage_um = stage;
    tile.nominal_um = at;
  }
  const Vec3 span = high - low;
  const Index3 shape =
      level.shape - Index3{std::llround(span.x / voxel_um.x), std::llround(span.y / voxel_um.y),
                           std::llround(span.z / voxel_um.z)};
  if (shape.x < 1 || shape.y < 1 || shape.z < 1)
    throw Error(fmt::format(
        "{}: has {} voxels (x,y,z), which is less than the tiles of {} are apart; give the volume "
        "that was stitched with this alignment",
        request.volume, format_triple(level.shape), request.alignment));
  const ValidRegion region = request.is_oblique ? region_of_converted(request.scan.settings(), shape)
                                                : ValidRegion{shape, 0, 0, shape.x, 1};
  for (TileToAlign& tile : tiles) {
    tile.nominal_um = tile.nominal_um - low;
    tile.region = region;
  }
  return tiles;
}

nlohmann::ordered_json json_of(const VolumeSeam& seam, const std::vector<TileToAlign>& tiles) {
  const auto triple = [](Vec3 v) { return nlohmann::ordered_json::array({v.x, v.y, v.z}); };
  nlohmann::ordered_json json = {{"tile", triple(tiles[seam.tile].stage_um)},
                                 {"inside", triple(tiles[seam.other].stage_um)},
                                 {"axis", std::string(1, seam.axis)},
                                 {"voxels", seam.voxels}};
  json["contrast"] =
      seam.voxels > 0 ? nlohmann::ordered_json(seam.contrast) : nlohmann::ordered_json(nullptr);
  json["standard_error"] =
      seam.voxels > 0 ? nlohmann::ordered_json(seam.standard_error) : nlohmann::ordered_json(nullptr);
  json["shows"] = seam.shows();
  json["step"] = seam.voxels > 0 ? nlohmann::ordered_json(seam.step) : nlohmann::ordered_json(nullptr);
  return json;
}

std::string text_of(const VolumeSeam& seam, const std::vector<TileToAlign>& tiles) {
  const std::string head = fmt::format("{} face of the tile at {} inside the one at {}: ", seam.axis,
                                       tiles[seam.tile].name, tiles[seam.other].name);
  if (seam.voxels == 0) return head + "nothing to compare\n";
  return head + fmt::format("contrast {:.3f} +- {:.3f}, step {:+.2f} %, {} voxels{}\n", seam.contrast,
                            seam.standard_error, 100 * seam.step, seam.voxels, seam.shows() ? ", shows" : "");
}

}  // namespace

int check_volume(Session& session, const VolumeSeamRequest& request, const Selections& plugins) {
  const auto volume = open_volume(session.registry(), session.host(), plugins.volume_reader, request.volume);
  const LevelInfo level = volume->level(0);
  const Vec3 voxel_um = ObliqueGeometry(request.scan.settings(), {1, 1, 1}).voxel_um();
  const std::vector<TileToAlign> tiles = tiles_of(request, level, voxel_um);
  const std::vector<VolumeSeam> seams =
      check_volume_seams(*volume, tiles, {voxel_um, request.blocks}, session.executor());
  if (seams.empty())
    throw Error(fmt::format("{}: no tiles overlap; there are no seams to check", request.alignment));
  std::vector<double> contrasts;
  std::size_t shown = 0;
  bool beyond = false;
  for (const VolumeSeam& seam : seams) {
    if (seam.voxels == 0) continue;
    contrasts.push_back(seam.contrast);
    shown += seam.shows();
    beyond = beyond || (seam.shows() && seam.contrast > request.max_contrast);
  }
  std::ranges::sort(contrasts);
  const bool good = !(request.max_contrast > 0) || (!contrasts.empty() && !beyond);
  if (request.json) {
    nlohmann::ordered_json json = {{"seams", nlohmann::ordered_json::array()}};
    for (const VolumeSeam& seam : seams) json["seams"].push_back(json_of(seam, tiles));
    json["good"] = good;
    std::fputs((json.dump(2) + "\n").c_str(), stdout);
    return good ? kDone : kFailed;
  }
  for (const VolumeSeam& seam : seams) std::fputs(text_of(seam, tiles).c_str(), stdout);
  if (contrasts.empty())
    fmt::print("seams: nothing to compare\n");
  else
    fmt::print("seams: {} of {} show; contrast {:.3f} (median), {:.3f} (worst); 1 is invisible\n", shown,
               contrasts.size(), contrasts[contrasts.size() / 2], contrasts.back());
  if (!good) fmt::print("beyond the limit: contrast (limit {:g})\n", request.max_contrast);
  return good ? kDone : kFailed;
}

}  // namespace spim::cli
