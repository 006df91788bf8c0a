// Where the tiles of a run are, and what the alignment says of them.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "html.hpp"
#include "report_parts.hpp"
#include "run_report_parts.hpp"

namespace spim::detail {

namespace {

using nlohmann::ordered_json;

Vec3 vec3(const ordered_json& json) {
  return {json.at(0).get<double>(), json.at(1).get<double>(), json.at(2).get<double>()};
}

/// A tile of the manifest as the map of an alignment draws it.
AlignedTile tile_of(const ordered_json& json, Vec3 voxel_um) {
  AlignedTile tile;
  tile.name = json.value("file", "");
  tile.stage_um = vec3(json.at("stage_um"));
  tile.nominal_um = vec3(json.at("nominal_um"));
  tile.region.frames = json.value("frames", std::int64_t{0});
  tile.region.shape.y = json.value("rows", std::int64_t{0});
  const Vec3 shift = vec3(json.at("first_voxel_um")) - tile.nominal_um;
  tile.shift_voxels = {shift.x / voxel_um.x, shift.y / voxel_um.y, shift.z / voxel_um.z};
  tile.linked = true;
  if (!json.contains("alignment")) return tile;
  const ordered_json& found = json["alignment"];
  tile.linked = found.value("linked", true);
  tile.remark = found.value("remark", "");
  if (found.contains("expected_error_voxels"))
    tile.expected_error_voxels = vec3(found["expected_error_voxels"]);
  return tile;
}

AlignedLink link_of(const ordered_json& json) {
  AlignedLink link;
  link.fixed = json.at("tiles").at(0).get<std::size_t>();
  link.moving = json.at("tiles").at(1).get<std::size_t>();
  link.measured = json.value("measured", false);
  link.trusted = json.value("trusted", false);
  link.confirmed = json.value("confirmed", false);
  link.correlation = json.value("correlation", 0.0);
  link.rejection = json.value("rejected_because", "");
  link.residual_voxels = vec3(json.at("residual_voxels"));
  return link;
}

AlignmentResult result_of(const ordered_json& manifest) {
  AlignmentResult result;
  result.voxel_um = vec3(manifest.at("result").at("voxel_um"));
  const ordered_json& alignment = manifest.at("alignment");
  const bool used = alignment.value("used", false);
  for (const ordered_json& tile : manifest.at("tiles")) {
    result.tiles.push_back(tile_of(tile, result.voxel_um));
    AlignedTile& one = result.tiles.back();
    one.linked = one.linked && used;
    result.align_xz = result.align_xz || std::abs(one.shift_voxels.x) + std::abs(one.shift_voxels.z) > 0.01;
  }
  for (const ordered_json& link : alignment.value("links", ordered_json::array()))
    result.links.push_back(link_of(link));
  return result;
}

std::string verdict_line(const ordered_json& manifest, const std::filesystem::path& page) {
  const ordered_json& alignment = manifest.at("alignment");
  const std::string file = alignment.value("file", ""), verdict = alignment.value("verdict", "");
  if (manifest.at("tiles").size() < 2) return "<p>There is one tile. It is where the stage says.</p>";
  if (file.empty()) return "<p>Tiles are where the stage says: no alignment was made or given.</p>";
  std::string text = "<p>";
  text += alignment.value("used", false) ? "Tiles are where an alignment puts them."
                                         : "Tiles are where the stage says: the alignment was not used.";
  if (verdict == "do not use")
    text += " Its verdict: <strong>do not use</strong>; the overlaps do not tell where the tiles are.";
  else if (!verdict.empty())
    text += fmt::format(
        " Its verdict: <strong>{}</strong>; trusted overlaps differ from it by {:.2f} voxels RMS, at "
        "worst {:.2f}.",
        html_escape(verdict), alignment.value("residual_rms_voxels", 0.0),
        alignment.value("residual_worst_voxels", 0.0));
  if (alignment.contains("page")) {
    const std::filesystem::path target = alignment.value("page", "");
    text += fmt::format(" <a href=\"{}\">Page about the alignment</a>.",
                        html_escape(target.lexically_relative(page.parent_path()).string()));
  }
  return text + "</p>";
}

/// Largest residual of the trusted links of a tile; below 0 for none.
double residual_of(const AlignmentResult& result, std::size_t tile) {
  double worst = -1;
  for (const AlignedLink& link : result.links)
    if (link.trusted && (link.fixed == tile || link.moving == tile))
      worst = std::max(worst, largest(link.residual_voxels));
  return worst;
}

/// CHANNEL/<x>/<x>_<y>/<z>.dcimg without the folders above.
std::string short_name(const std::filesystem::path& tile) {
  const std::filesystem::path root = tile.parent_path().parent_path().parent_path().parent_path();
  return tile.lexically_relative(root).string();
}

/// A path that may be broken behind each of its folders.
std::string breakable(const std::string& path) {
  std::string text;
  for (const char c : path) text += c == '/' ? std::string("/<wbr>") : std::string(1, c);
  return text;
}

std::string tile_rows(const AlignmentResult& result) {
  std::string text;
  for (std::size_t i = 0; i < result.tiles.size(); ++i) {
    const AlignedTile& tile = result.tiles[i];
    const double residual = residual_of(result, i);
    text += fmt::format(
        "<tr><td class=\"n\">{}</td><td class=\"path\">{}</td><td class=\"n\">{:.1f}, {:.1f}, {:.1f}</td><td "
        "class=\"n\">{:+.2f}, "
        "{:+.2f}, {:+.2f}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
        tile_number(i), breakable(html_escape(short_name(tile.name))), tile.stage_um.x, tile.stage_um.y,
        tile.stage_um.z, tile.shift_voxels.x, tile.shift_voxels.y, tile.shift_voxels.z,
        residual < 0 ? "–" : fmt::format("{:.2f}", residual), grouped(tile.region.frames),
        tile.remark.empty() ? (tile.linked ? "" : "where the stage says") : html_escape(tile.remark));
  }
  return text;
}

}  // namespace

std::string tile_section(const ordered_json& manifest, const std::filesystem::path& page) {
  if (!manifest.contains("tiles") || !manifest.contains("result") || manifest["tiles"].empty()) return "";
  const AlignmentResult result = result_of(manifest);
  std::string text = "<h2>Tiles</h2>" + verdict_line(manifest, page) + tile_maps(result);
  text += fmt::format("<details{}><summary>{} tile{}</summary>", result.tiles.size() <= 12 ? " open" : "",
                      result.tiles.size(), result.tiles.size() == 1 ? "" : "s");
  text +=
      "<table><thead><tr><th class=\"n\">#</th><th>camera file</th><th class=\"n\">stage x, y, z "
      "(µm)</th><th "
      "class=\"n\">shift x, y, z (voxels)</th><th class=\"n\">worst residual</th><th "
      "class=\"n\">frames</th><th "
      "class=\"remark\">remark</th></tr></thead><tbody>";
  return text + tile_rows(result) + "</tbody></table></details>";
}

}  // namespace spim::detail
