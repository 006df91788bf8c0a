// Writing the alignment file: the keys of the original programs, and everything else under "spimstitch".
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "durable.hpp"
#include "spim/host/alignment_file.hpp"

namespace spim {

namespace {

using nlohmann::ordered_json;

/// As Python's json module writes a float, so that keys equal those of scripts.
std::string python_number(double v) {
  std::string text = fmt::format("{}", v == 0 ? 0.0 : v);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string python_triple(Vec3 v) {
  return fmt::format("[{}, {}, {}]", python_number(v.x), python_number(v.y), python_number(v.z));
}

ordered_json triple(Vec3 v) {
  return ordered_json::array({v.x, v.y, v.z});
}

/// Nominal positions of the first voxels of all tiles, in voxels, the smallest 0.
std::vector<Vec3> first_voxels(const AlignmentResult& result) {
  std::vector<Vec3> voxels;
  Vec3 least;
  for (const AlignedTile& tile : result.tiles) {
    const Vec3 um = tile.nominal_um + tile.origin_um;
    const Vec3 at{um.x / result.voxel_um.x, um.y / result.voxel_um.y, um.z / result.voxel_um.z};
    least =
        voxels.empty() ? at : Vec3{std::min(least.x, at.x), std::min(least.y, at.y), std::min(least.z, at.z)};
    voxels.push_back(at);
  }
  for (Vec3& at : voxels) at = at - least;
  return voxels;
}

/// Where something was seen twice.
struct Sighting {
  Vec3 a, b;  ///< by the first and by the second tile
};

/// In voxels of full resolution, of all tiles at their nominal positions.
Sighting sighting(const AlignmentResult& result, Vec3 first, const ShiftSample& sample) {
  const Vec3 own = result.voxel_um, full = result.full_voxel_um;
  const auto scaled = [&](Vec3 v) {
    return Vec3{v.x * own.x / full.x, v.y * own.y / full.y, v.z * own.z / full.z};
  };
  const Vec3 a = first + sample.at;
  return {scaled(a), scaled(a - sample.shift)};
}

/// The samples that agree, of links that count.
void add_pairs(const AlignmentResult& result, ordered_json& root) {
  const std::vector<Vec3> first = first_voxels(result);
  for (const AlignedLink& link : result.links) {
    if (!link.trusted) continue;
    const Vec3 fixed = result.tiles[link.fixed].stage_um, moving = result.tiles[link.moving].stage_um;
    ordered_json samples = ordered_json::array();
    for (std::size_t i = 0; i < link.samples.size(); ++i) {
      if (!link.agrees[i]) continue;
      const auto [a, b] = sighting(result, first[link.fixed], link.samples[i]);
      samples.push_back({{"key_a", triple(fixed)},
                         {"key_b", triple(moving)},
                         {"xa", a.x},
                         {"ya", a.y},
                         {"za", a.z},
                         {"xb", b.x},
                         {"yb", b.y},
                         {"zb", b.z},
                         {"corr", link.samples[i].correlation}});
    }
    root[fmt::format("[{}, {}]", python_triple(fixed), python_triple(moving))] = std::move(samples);
  }
}

ordered_json scale_json(const ScaleEstimate& scale) {
  return {{"given", scale.given_um},
          {"value", scale.value_um},
          {"standard_error", scale.standard_error_um},
          {"determined", scale.determined}};
}

ordered_json tile_json(const AlignedTile& tile) {
  return {{"name", tile.name},
          {"stage", triple(tile.stage_um)},
          {"nominal", triple(tile.nominal_um)},
          {"position", triple(tile.position_um)},
          {"shift_voxels", triple(tile.shift_voxels)},
          {"expected_error_voxels", triple(tile.expected_error_voxels)},
          {"component", tile.component},
          {"linked", tile.linked},
          {"certain", tile.certain},
          {"remark", tile.remark}};
}

/// Samples that are not under the key of their pair: x,y,z in the first tile, shift x,y,z, correlation,
/// confidence.
ordered_json other_samples(const AlignedLink& link) {
  ordered_json rows = ordered_json::array();
  for (std::size_t i = 0; i < link.samples.size(); ++i) {
    if (link.trusted && link.agrees[i]) continue;
    const ShiftSample& s = link.samples[i];
    rows.push_back({s.at.x, s.at.y, s.at.z, s.shift.x, s.shift.y, s.shift.z, s.correlation, s.confidence});
  }
  return rows;
}

ordered_json link_json(const AlignmentResult& result, const AlignedLink& link) {
  std::size_t agree = 0;
  for (const std::uint8_t a : link.agrees) agree += a;
  return {{"tiles", {triple(result.tiles[link.fixed].stage_um), triple(result.tiles[link.moving].stage_um)}},
          {"aligner", link.aligner},
          {"samples", link.samples.size()},
          {"agreeing", agree},
          {"shift_voxels", triple(link.shift_voxels)},
          {"error_voxels", triple(link.error_voxels)},
          {"correlation", link.correlation},
          {"confidence", link.confidence},
          {"measured", link.measured},
          {"trusted", link.trusted},
          {"confirmed", link.confirmed},
          {"rejected_because", link.rejection},
          {"residual_voxels", triple(link.residual_voxels)},
          {"other_samples", other_samples(link)}};
}

ordered_json ours(const AlignmentResult& result, const Configuration& made_by) {
  ordered_json json = {{"version", made_by.version},
                       {"configuration", ordered_json::parse(configuration_text(made_by))},
                       {"verdict", verdict_text(result.verdict)},
                       {"findings", result.findings},
                       {"origin", triple(result.origin_um)},
                       {"y_voxel_size", scale_json(result.y_voxel)},
                       {"x_step_size", scale_json(result.x_step)},
                       {"residual_rms_voxels", result.residual_rms_voxels},
                       {"residual_worst_voxels", result.residual_worst_voxels}};
  json["tiles"] = ordered_json::array();
  for (const AlignedTile& tile : result.tiles) json["tiles"].push_back(tile_json(tile));
  json["links"] = ordered_json::array();
  for (const AlignedLink& link : result.links) json["links"].push_back(link_json(result, link));
  return json;
}

}  // namespace

std::string alignment_text(const AlignmentResult& result, const Configuration& made_by) {
  ordered_json root = {{"voxel_size", result.y_voxel.value_um},
                       {"voxel_sizes", triple(result.full_voxel_um)}};
  add_pairs(result, root);
  ordered_json alignments = ordered_json::object();
  for (const AlignedTile& tile : result.tiles)
    alignments[python_triple(tile.stage_um)] = triple(tile.position_um);
  root["alignments"] = std::move(alignments);
  root["align-z"] = result.align_xz;
  root["spimstitch"] = ours(result, made_by);
  // Paths need not be UTF-8, JSON must be.
  return root.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void save_alignment(const AlignmentResult& result, const Configuration& made_by,
                    const std::filesystem::path& file) {
  detail::replace_file(file, alignment_text(result, made_by));
}

}  // namespace spim
