#include "spim/host/alignment_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "durable.hpp"
#include "html.hpp"
#include "report_parts.hpp"

namespace spim {

using detail::html_escape;

namespace {

/// More findings are folded.
constexpr std::size_t kOpenFindings = 12;

struct Totals {
  std::size_t trusted = 0, linked = 0;
  double shift = 0, error = 0;
};

Totals totals_of(const AlignmentResult& result) {
  Totals t;
  for (const AlignedLink& link : result.links) t.trusted += link.trusted;
  for (const AlignedTile& tile : result.tiles) {
    t.linked += tile.linked;
    t.shift = std::max(t.shift, detail::largest(tile.shift_voxels));
    if (tile.linked) t.error = std::max(t.error, detail::largest(tile.expected_error_voxels));
  }
  return t;
}

std::string verdict_box(const AlignmentResult& result, const Totals& t) {
  const auto box = [](const char* style, const char* sign, const char* head, const std::string& text) {
    return fmt::format(
        "<div class=\"verdict {}\" id=verdict><strong><span class=sign>{}</span>{}</strong>{}</div>", style,
        sign, head, text);
  };
  if (result.tiles.size() < 2)
    return box("good", "✓", "Nothing to align", "There is one tile. It is where the stage says.");
  const std::string numbers = fmt::format(
      "{} of {} overlaps are trusted and {} of {} tiles are linked by them. Trusted overlaps differ from the "
      "solution by "
      "{:.2f} voxels RMS, at worst {:.2f}.",
      t.trusted, result.links.size(), t.linked, result.tiles.size(), result.residual_rms_voxels,
      result.residual_worst_voxels);
  switch (result.verdict) {
    case Verdict::good:
      return box("good", "✓", "Good: use it", numbers);
    case Verdict::look:
      return box("look", "!", "Look at these links before you use it", numbers);
    default:
      return box("stop", "✗", "Do not use", numbers + " The overlaps do not tell where the tiles are.");
  }
}

std::string scale_figure(const char* name, const ScaleEstimate& scale) {
  if (!scale.determined)
    return fmt::format(
        "<div><b>{:.4f} µm</b><span>{}, as given: the overlaps do not tell it better</span></div>",
        scale.given_um, name);
  return fmt::format(
      "<div><b>{:.4f} ± {:.4f} µm</b><span>{}, estimated ({:.4f} was given, {:+.2f} %)</span></div>",
      scale.value_um, scale.standard_error_um, name, scale.given_um,
      100 * (scale.value_um / scale.given_um - 1));
}

std::string figures(const AlignmentResult& result, const Totals& t) {
  std::string text = "<div class=figures>";
  const auto figure = [&](const std::string& value, const std::string& what) {
    text += "<div><b>" + value + "</b><span>" + what + "</span></div>";
  };
  figure(fmt::format("{} of {}", t.linked, result.tiles.size()), "tiles linked");
  figure(fmt::format("{} of {}", t.trusted, result.links.size()), "overlaps trusted");
  figure(fmt::format("{:.2f} voxels", t.shift), result.align_xz ? "largest shift of a tile along x, y or z"
                                                                : "largest shift of a tile; only y moves");
  figure(fmt::format("{:.3f} voxels", result.residual_rms_voxels),
         fmt::format("residual of trusted overlaps, RMS; worst {:.3f}", result.residual_worst_voxels));
  figure(fmt::format("{:.2f} voxels", t.error), "expected error of a linked tile, at worst");
  text += scale_figure("y voxel size", result.y_voxel);
  if (result.align_xz) text += scale_figure("x step", result.x_step);
  return text + "</div>";
}

std::string findings(const AlignmentResult& result) {
  if (result.findings.empty()) return "<p>Nothing odd was found.</p>";
  std::string text = "<ul class=findings>";
  for (std::size_t i = 0; i < result.findings.size(); ++i) {
    if (i == kOpenFindings && result.findings.size() > kOpenFindings + 3)
      text += fmt::format("</ul><details><summary>{} more</summary><ul class=findings>",
                          result.findings.size() - kOpenFindings);
    text += "<li>" + html_escape(result.findings[i]) + "</li>";
  }
  text += "</ul>";
  if (result.findings.size() > kOpenFindings + 3) text += "</details>";
  return text;
}

std::string pictures(const AlignmentResult& result, const ReportContent& content) {
  if (content.shown.empty()) return "";
  return "<h2>Overlaps before and after</h2><p class=soft>Planes through the overlap where there is content. "
         "<span class=swatch style=\"background:#ff00ff\"></span>first tile, "
         "<span class=swatch style=\"background:#00ff00\"></span>second tile, "
         "<span class=swatch style=\"background:#fff\"></span>both: where tiles fit, everything is grey. "
         "Before: where "
         "the stage says; after: where the solution puts them. The number is the correlation of the two "
         "tiles in the "
         "plane.</p>" +
         detail::overlap_figures(result, content.shown);
}

std::string options(const ReportContent& content) {
  std::string text = fmt::format(
      "<table class=options><tbody><tr><td>program<td>spimstitch {}</tr><tr><td>command<td>{}</tr>",
      html_escape(content.made_by.version), html_escape(content.made_by.command));
  for (const auto& [name, value] : content.made_by.options)
    if (!value.empty()) text += fmt::format("<tr><td>--{}<td>{}</tr>", html_escape(name), html_escape(value));
  const Selection& aligner = content.made_by.selections.aligner;
  if (!aligner.id.empty()) text += fmt::format("<tr><td>aligner<td>{}</tr>", html_escape(aligner.id));
  for (const auto& [name, value] : aligner.options)
    text += fmt::format("<tr><td>aligner.{}<td>{}</tr>", html_escape(name), html_escape(value));
  return "<details open><summary>completed options</summary>" + text + "</tbody></table></details>";
}

}  // namespace

namespace detail {

double largest(Vec3 v) noexcept {
  return std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)});
}

std::string tile_number(std::size_t tile) {
  return fmt::format("#{}", tile + 1);
}

Grade grade_of(const AlignedLink& link) noexcept {
  constexpr double kVisible = 0.5;  // voxels; beyond this a seam shows
  if (link.trusted)
    return link.confirmed && largest(link.residual_voxels) <= kVisible ? Grade::agrees : Grade::doubtful;
  return link.measured ? Grade::contradicts : Grade::unused;
}

const GradeLook& look_of(const AlignedLink& link) noexcept {
  return kGrades[static_cast<std::size_t>(grade_of(link))];
}

}  // namespace detail

std::vector<ShownLink> links_to_show(const AlignmentResult& result) {
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < result.links.size(); ++k)
    if (!result.links[k].samples.empty()) order.push_back(k);
  const auto badness = [&](std::size_t k) {
    const AlignedLink& link = result.links[k];
    const double rejected = link.trusted ? (link.confirmed ? 0 : 1e5) : link.measured ? 2e6 : 1e6;
    return rejected + detail::largest(link.residual_voxels) + (1 - link.correlation);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return badness(a) > badness(b); });
  if (order.empty()) return {};
  if (order.size() == 1) return {{order.front(), "Only", {}}};
  std::vector<ShownLink> shown{{order.front(), "Worst", {}}};
  if (order.size() > 2) shown.push_back({order[order.size() / 2], "Median", {}});
  shown.push_back({order.back(), "Best", {}});
  return shown;
}

std::string alignment_report(const AlignmentResult& result, const ReportContent& content) {
  const Totals totals = totals_of(result);
  std::string page = detail::page_head("Alignment of " + content.title);
  page += verdict_box(result, totals) + figures(result, totals);
  page += "<h2>Findings</h2>" + findings(result);
  page += "<h2>Map of the tiles</h2>" + detail::tile_maps(result);
  if (result.tiles.size() > 1) {
    page += "<h2>Links to look at</h2>" + detail::link_tables(result);
    page += pictures(result, content);
    page += "<h2>Offsets against the position of the stage</h2>" + detail::offset_charts(result);
    page += "<h2>Correlations</h2>" + detail::correlation_histogram(result);
  }
  page += "<h2>Tiles</h2>" + detail::tile_table(result);
  page += "<h2>How it was made</h2>" + options(content);
  page += fmt::format(
      "<footer>spimstitch {}. Voxels are those of the aligned level, {:.4g} × {:.4g} × {:.4g} µm (x, y, z). "
      "A shift is "
      "where a tile is minus where the stage says. Printing keeps what is unfolded.</footer></body></html>\n",
      html_escape(content.made_by.version), result.voxel_um.x, result.voxel_um.y, result.voxel_um.z);
  return page;
}

void save_alignment_report(const AlignmentResult& result, const ReportContent& content,
                           const std::filesystem::path& file) {
  detail::replace_file(file, alignment_report(result, content));
}

}  // namespace spim
