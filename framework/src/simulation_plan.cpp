#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>

#include "phantom/hash.hpp"
#include "spim/error.hpp"
#include "spim/host/simulation.hpp"
#include "truth_files.hpp"

namespace spim {

namespace {

void check_channels(const std::vector<std::string>& channels) {
  if (channels.empty()) throw UsageError("a simulation needs at least one channel");
  std::set<std::string> seen;
  for (const std::string& name : channels) {
    const bool plain = !name.empty() && name.front() != '.' && name != "truth" &&
                       std::all_of(name.begin(), name.end(), [](unsigned char c) {
                         return std::isalnum(c) || c == '_' || c == '-' || c == '.';
                       });
    if (!plain)
      throw UsageError(
          fmt::format("\"{}\" cannot be the folder of a channel; use letters, digits, '_', '-' and '.', "
                      "for example Ex_488_Em_1",
                      name));
    if (!seen.insert(name).second) throw UsageError(fmt::format("channel {} is given twice", name));
  }
}

void check_tiles(const SimulationSettings& s) {
  constexpr std::int64_t kMostTiles = 1'000'000;
  const Index3 n = s.tiles;
  if (n.x < 1 || n.y < 1 || n.z < 1 || n.x > kMostTiles || n.y > kMostTiles / n.x ||
      n.z > kMostTiles / (n.x * n.y))
    throw UsageError("the number of tiles must be at least 1 along each axis and at most 1,000,000 in all");
  for (const double o : {s.overlap.x, s.overlap.y, s.overlap.z})
    if (!(o > -10 && o < 1))
      throw UsageError(fmt::format("the overlap is {}; it must be below 1 (100 %)", o));
  for (const double e : {s.stage_error_um.x, s.stage_error_um.y, s.stage_error_um.z})
    if (!(e >= 0 && e <= 1e6))
      throw UsageError(fmt::format("the stage error is {} µm; it must be 0 to 1e6", e));
  if (!(s.organ_size >= 0 && s.organ_size <= 1000))
    throw UsageError(fmt::format("the size of the organ is {}; it must be 0 to 1000", s.organ_size));
  const auto inside = [n](Index3 i) { return contains({{0, 0, 0}, n}, {i, i + Index3{1, 1, 1}}); };
  const auto refuse = [n](Index3 i) {
    throw UsageError(fmt::format("tile {},{},{} does not exist; there are {} x {} x {} tiles, counted from 0",
                                 i.x, i.y, i.z, n.x, n.y, n.z));
  };
  for (const Index3 i : s.empty_tiles)
    if (!inside(i)) refuse(i);
  for (const Displacement& d : s.displaced)
    if (!inside(d.tile)) refuse(d.tile);
}

/// Extents of one tile at constant z (x), and along the other axes.
Vec3 tile_extent(const SimulationSettings& s) {
  const double tilt = s.scan.tilt_degrees * std::numbers::pi / 180;
  return {static_cast<double>(s.stack.frames) * s.scan.x_step_um,
          static_cast<double>(s.stack.rows) * s.scan.y_voxel_um,
          static_cast<double>(s.stack.columns) * s.scan.y_voxel_um * std::sin(tilt)};
}

/// What all stacks have in common.
SimulatedStack common_stack(const SimulationSettings& s) {
  SimulatedStack stack;
  stack.phantom.seed = s.seed;
  stack.phantom.scale = s.scale;
  stack.phantom.brightness = s.brightness;
  stack.phantom.repeat_um = s.repeat_um;
  stack.frames = s.stack.frames;
  stack.rows = s.stack.rows;
  stack.columns = s.stack.columns;
  stack.y_voxel_um = s.scan.y_voxel_um;
  stack.x_step_um = s.scan.x_step_um;
  stack.tilt_degrees = s.scan.tilt_degrees;
  stack.direction = s.scan.direction;
  stack.noise = s.noise;
  stack.illumination = s.illumination;
  stack.stripes = s.stripes;
  stack.stored = s.stored;
  StackSimulator{stack};  // throws when something is impossible
  if (s.stack.frames > std::numeric_limits<std::int64_t>::max() / 2 / s.stack.rows / s.stack.columns)
    throw UsageError("a tile would have more than 2^62 pixels");
  return stack;
}

/// An organ around the middle of the acquisition.
void place_organ(const SimulationSettings& s, Vec3 pitch, PhantomSettings& phantom) {
  if (s.organ_size == 0) return;
  const Vec3 extent = tile_extent(s);
  const double tilt = s.scan.tilt_degrees * std::numbers::pi / 180;
  const double shear = static_cast<double>(s.stack.columns) * s.scan.y_voxel_um * std::cos(tilt);
  const Vec3 size{extent.x + shear + pitch.x * static_cast<double>(s.tiles.x - 1),
                  extent.y + pitch.y * static_cast<double>(s.tiles.y - 1),
                  extent.z + pitch.z * static_cast<double>(s.tiles.z - 1)};
  const double back = s.scan.direction < 0 ? extent.x : 0;
  phantom.organ_centre_um = {s.origin_um.x - back + size.x / 2, s.origin_um.y + size.y / 2,
                             s.origin_um.z + size.z / 2};
  const double half = s.organ_size / 2;
  phantom.organ_radii_um = {half * size.x, half * size.y, half * size.z};
}

/// Where the stage really was. Depends on the seed and the tile alone.
Vec3 true_position(const SimulationSettings& s, const TrueTile& tile) {
  Draw draw(grid_key(subkey(s.seed, 707), tile.index.x, tile.index.y, tile.index.z));
  Vec3 at = tile.nominal_um;
  at.x += s.stage_error_um.x * draw.between(-1, 1);
  at.y += s.stage_error_um.y * draw.between(-1, 1);
  at.z += s.stage_error_um.z * draw.between(-1, 1);
  for (const Displacement& d : s.displaced)
    if (d.tile == tile.index) at = at + d.by_um;
  return at;
}

std::string file_name(const SimulationSettings& s, const TrueTile& tile) {
  const std::int64_t x = detail::tenths(tile.stage_um.x), y = detail::tenths(tile.stage_um.y),
                     z = detail::tenths(tile.stage_um.z);
  const char* ending = s.files == SimulatedFiles::dcimg ? "dcimg" : "simulated.json";
  return fmt::format("{}/{}/{}_{}/{}.{}", tile.channel, x, x, y, z, ending);
}

}  // namespace

std::vector<TrueTile> plan_simulation(const SimulationSettings& s) {
  check_channels(s.channels);
  SimulatedStack common = common_stack(s);
  check_tiles(s);
  const Vec3 extent = tile_extent(s);
  const Vec3 pitch{extent.x * (1 - s.overlap.x), extent.y * (1 - s.overlap.y), extent.z * (1 - s.overlap.z)};
  place_organ(s, pitch, common.phantom);
  std::vector<TrueTile> tiles;
  std::set<std::string> names;
  for (std::size_t c = 0; c < s.channels.size(); ++c)
    for (std::int64_t n = 0; n < count(s.tiles); ++n) {
      TrueTile tile;
      tile.channel = s.channels[c];
      tile.index = {n % s.tiles.x, n / s.tiles.x % s.tiles.y, n / (s.tiles.x * s.tiles.y)};
      const auto along = [](double origin, double step, std::int64_t i) {
        return static_cast<double>(detail::tenths(origin + step * static_cast<double>(i))) / 10;
      };
      tile.nominal_um = {along(s.origin_um.x, pitch.x, tile.index.x),
                         along(s.origin_um.y, pitch.y, tile.index.y),
                         along(s.origin_um.z, pitch.z, tile.index.z)};
      tile.stage_um = tile.nominal_um;
      if (s.negative_y) tile.stage_um.y = -tile.nominal_um.y;
      tile.file = file_name(s, tile);
      if (!names.insert(tile.file).second)
        throw UsageError(
            fmt::format("two tiles would be {}; tiles must be at least 0.1 µm apart", tile.file));
      tile.stack = common;
      tile.stack.phantom.channel = static_cast<int>(c);
      tile.stack.position_um = true_position(s, tile);
      tile.stack.tile = n;
      if (std::find(s.empty_tiles.begin(), s.empty_tiles.end(), tile.index) != s.empty_tiles.end())
        tile.stack.content = StackContent::nothing;
      tiles.push_back(std::move(tile));
    }
  return tiles;
}

}  // namespace spim
