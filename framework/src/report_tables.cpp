// Tables of links and tiles, and pictures of overlaps.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "html.hpp"
#include "report_parts.hpp"

namespace spim::detail {

namespace {

/// Longer tables are folded.
constexpr std::size_t kOpenRows = 40;
/// Height of a picture, and most of its width, pixels.
constexpr double kPictureHeight = 230, kPictureWidth = 232;

/// Without the sign of a zero.
double shown(double v) {
  return std::abs(v) < 0.005 ? 0 : v;
}

std::string triple(Vec3 v) {
  v = {shown(v.x), shown(v.y), shown(v.z)};
  return fmt::format("{:+.2f} {:+.2f} {:+.2f}", v.x, v.y, v.z);
}

std::string link_row(const AlignedLink& link) {
  const auto agreeing = std::count(link.agrees.begin(), link.agrees.end(), 1);
  std::string row = fmt::format("<tr><td class=nowrap>{} – {}<td><span class=\"chip {}\">",
                                tile_number(link.fixed), tile_number(link.moving), look_of(link).name);
  switch (grade_of(link)) {
    case Grade::agrees:
      row += "agrees";
      break;
    case Grade::doubtful:
      row += link.confirmed ? "doubtful" : "unconfirmed";
      break;
    case Grade::contradicts:
      row += "rejected";
      break;
    case Grade::unused:
      row += "not used";
  }
  row += fmt::format("</span><td class=n>{} of {}", agreeing, link.samples.size());
  if (link.measured)
    row += fmt::format("<td class=n>{}<td class=n>{}<td class=n>{:.3f}<td class=n>{:.2f}",
                       triple(link.shift_voxels), triple(link.residual_voxels), link.correlation,
                       link.confidence);
  else
    row += "<td class=n>–<td class=n>–<td class=n>–<td class=n>–";
  std::string why = link.rejection;
  if (link.trusted && !link.confirmed) why = "nothing else confirms it";
  if (why.empty() && link.samples.empty()) why = "no content that could be matched";
  return row + fmt::format("<td class=nowrap>{}<td>{}</tr>\n", html_escape(link.aligner), html_escape(why));
}

constexpr const char* kLinkHead =
    "<table><thead><tr><th>tiles<th>link<th class=n>samples<br>that agree<th class=n>shift x y z,<br>voxels"
    "<th class=n>residual,<br>voxels<th class=n>corre-<br>lation<th class=n>confi-<br>dence<th>aligner"
    "<th class=remark>remark</tr></thead><tbody>\n";

std::string fold(std::size_t rows, std::string_view what, const std::string& table) {
  return fmt::format("<details{}><summary>{} {}</summary>{}</details>", rows <= kOpenRows ? " open" : "",
                     rows, what, table);
}

std::string img(const std::string& png, const OverlapPicture& picture, const char* what) {
  const double scale = std::min(kPictureHeight / picture.height_um, kPictureWidth / picture.width_um);
  return fmt::format("<img alt=\"{}\" width={:.0f} height={:.0f} src=\"{}\">", what,
                     std::max(1.0, picture.width_um * scale), std::max(1.0, picture.height_um * scale),
                     data_uri("image/png", png));
}

}  // namespace

std::string link_tables(const AlignmentResult& result) {
  std::string bad, all;
  std::size_t bad_rows = 0;
  for (const AlignedLink& link : result.links) {
    const std::string row = link_row(link);
    all += row;
    if (grade_of(link) == Grade::agrees) continue;
    bad += row;
    ++bad_rows;
  }
  std::string text;
  if (bad_rows == 0)
    text = "<p>None: every link is trusted, confirmed and agrees with the others.</p>";
  else
    text = fold(bad_rows, bad_rows == 1 ? "link to look at" : "links to look at",
                kLinkHead + bad + "</tbody></table>");
  if (bad_rows < result.links.size())
    text += fmt::format("<details><summary>all {} links</summary>{}{}</tbody></table></details>",
                        result.links.size(), kLinkHead, all);
  return text;
}

std::string tile_table(const AlignmentResult& result) {
  std::string rows =
      "<table><thead><tr><th>tile<th>file<th class=n>stage x y z, µm<th class=n>shift x y z, voxels<th "
      "class=n>expected "
      "error, voxels<th>remark</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < result.tiles.size(); ++i) {
    const AlignedTile& tile = result.tiles[i];
    const Vec3 s = tile.stage_um, e = tile.expected_error_voxels;
    rows += fmt::format("<tr><td>{}<td>{}<td class=n>{:.1f} {:.1f} {:.1f}<td class=n>{}<td class=n>",
                        tile_number(i), html_escape(tile.name), s.x, s.y, s.z, triple(tile.shift_voxels));
    if (tile.linked)
      rows += fmt::format("{:.2f} {:.2f} {:.2f}", e.x, e.y, e.z);
    else
      rows += "unknown";
    rows += fmt::format("<td>{}</tr>\n", html_escape(tile.remark));
  }
  return fold(result.tiles.size(), result.tiles.size() == 1 ? "tile" : "tiles", rows + "</tbody></table>");
}

std::string overlap_figures(const AlignmentResult& result, const std::vector<ShownLink>& shown) {
  std::string text;
  for (const ShownLink& one : shown) {
    const AlignedLink& link = result.links[one.link];
    text += fmt::format(
        "<section class=shown><h3>{} link: {} – {}, <span class=\"chip {}\">{}</span></h3><p class=soft>{} "
        "and {}",
        html_escape(one.role), tile_number(link.fixed), tile_number(link.moving), look_of(link).name,
        link.rejection.empty() ? std::string(look_of(link).words) : html_escape(link.rejection),
        html_escape(result.tiles[link.fixed].name), html_escape(result.tiles[link.moving].name));
    if (link.measured)
      text += fmt::format("; measured shift {} voxels, residual {}, correlation {:.3f}",
                          triple(link.shift_voxels), triple(link.residual_voxels), link.correlation);
    text += "</p><div class=pictures>";
    for (const OverlapPicture& picture : one.pictures)
      text += fmt::format(
          "<figure><div class=pair><div>{}<span>before: {:.2f}</span></div><div>{}<span>after: "
          "{:.2f}</span></div></div>"
          "<figcaption>{}</figcaption></figure>",
          img(picture.before, picture, "before"), picture.correlation_before,
          img(picture.after, picture, "after"), picture.correlation_after, html_escape(picture.caption));
    text += "</div></section>";
  }
  return text;
}

}  // namespace spim::detail
