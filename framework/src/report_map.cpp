// Maps of the tiles seen from above, with their links and how far they moved.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "html.hpp"
#include "report_parts.hpp"

namespace spim::detail {

namespace {

constexpr double kWidth = 1000, kHeight = 760, kMargin = 14;  // pixels, of the largest map
/// With more tiles, their numbers cannot be read any more.
constexpr std::size_t kMostNumbers = 150;
/// So many maps are shown at once; more are folded.
constexpr std::size_t kOpenMaps = 3;

struct Point {
  double x = 0, y = 0;
};

struct Rectangle {
  double left = 0, top = 0, width = 0, height = 0;  // µm on the stage
  Point centre() const noexcept { return {left + width / 2, top + height / 2}; }
};

Rectangle outline(const AlignedTile& tile, Vec3 voxel_um) noexcept {
  return {tile.nominal_um.x + tile.origin_um.x, tile.nominal_um.y + tile.origin_um.y,
          static_cast<double>(tile.region.frames) * voxel_um.x,
          static_cast<double>(tile.region.shape.y) * voxel_um.y};
}

/// Tiles of one stage position in z; names of tiles are exact to 0.1 µm.
using Ranks = std::map<std::int64_t, std::vector<std::size_t>>;

Ranks ranks_of(const AlignmentResult& result) {
  Ranks ranks;
  for (std::size_t i = 0; i < result.tiles.size(); ++i)
    ranks[std::llround(result.tiles[i].nominal_um.z * 10)].push_back(i);
  return ranks;
}

/// The largest of 1, 2, 5, 10 … that is not above `v`; 1 below that.
double round_down(double v) noexcept {
  double nice = 1;
  while (true) {
    if (nice * 2 > v) return nice;
    if (nice * 5 > v) return nice * 2;
    if (nice * 10 > v) return nice * 5;
    nice *= 10;
  }
}

/// A long shaft with a head, from `from` by `by`.
std::string arrow(Point from, Point by, const char* style) {
  const double length = std::hypot(by.x, by.y);
  if (length < 2) return fmt::format("<circle class=head cx={:.1f} cy={:.1f} r=2 />", from.x, from.y);
  const double head = std::min(9.0, 0.5 * length), ux = by.x / length, uy = by.y / length;
  const Point tip{from.x + by.x, from.y + by.y}, neck{tip.x - head * ux, tip.y - head * uy};
  return fmt::format(
      "<path class=\"arrow{}\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/><path class=head d=\"M{:.1f} "
      "{:.1f}L{:.1f} "
      "{:.1f}L{:.1f} {:.1f}Z\"/>",
      style, from.x, from.y, neck.x, neck.y, tip.x, tip.y, neck.x - 0.45 * head * uy,
      neck.y + 0.45 * head * ux, neck.x + 0.45 * head * uy, neck.y - 0.45 * head * ux);
}

class Map {
 public:
  Map(const AlignmentResult& result, const std::vector<std::size_t>& tiles, double exaggeration)
      : result_(result), tiles_(tiles), exaggeration_(exaggeration) {
    double right = -1e300, bottom = -1e300;
    left_ = top_ = 1e300;
    for (const std::size_t i : tiles) {
      const Rectangle r = outline(result.tiles[i], result.voxel_um);
      left_ = std::min(left_, r.left);
      top_ = std::min(top_, r.top);
      right = std::max(right, r.left + r.width);
      bottom = std::max(bottom, r.top + r.height);
    }
    scale_ = std::min((kWidth - 2 * kMargin) / std::max(right - left_, 1e-6),
                      (kHeight - 2 * kMargin) / std::max(bottom - top_, 1e-6));
    width_ = (right - left_) * scale_ + 2 * kMargin;
    height_ = (bottom - top_) * scale_ + 2 * kMargin;
  }

  std::string svg(const std::vector<std::uint8_t>& here) const {
    std::string text = fmt::format(
        "<svg class=map viewBox=\"0 0 {0:.0f} {1:.0f}\" width={0:.0f} height={1:.0f} role=img "
        "aria-label=\"map of tiles\">",
        width_, height_);
    for (const std::size_t i : tiles_) text += tile(i);
    for (const AlignedLink& one : result_.links)
      if (here[one.fixed] && here[one.moving]) text += link(one);
    for (const std::size_t i : tiles_) text += shift(i);
    return text + "</svg>";
  }

 private:
  Point at(Point um) const noexcept {
    return {kMargin + (um.x - left_) * scale_, kMargin + (um.y - top_) * scale_};
  }

  std::string tile(std::size_t i) const {
    const AlignedTile& t = result_.tiles[i];
    const Rectangle r = outline(t, result_.voxel_um);
    const Point corner = at({r.left, r.top});
    const bool stays = !t.linked && result_.tiles.size() > 1;
    const bool odd = !stays && !t.remark.empty();
    const double width = r.width * scale_, height = r.height * scale_;
    std::string text = fmt::format(
        "<rect class=\"tile{}{}\" x={:.1f} y={:.1f} width={:.1f} height={:.1f}><title>{} {}{}</title></rect>",
        stays ? " stays" : "", odd ? " odd" : "", corner.x, corner.y, width, height, tile_number(i),
        html_escape(t.name), t.remark.empty() ? "" : ": " + html_escape(t.remark));
    if (tiles_.size() > kMostNumbers || std::min(width, height) < 34) return text;
    // Away from the borders, which neighbours overlap.
    const double x = corner.x + 0.16 * width, y = corner.y + std::min(0.16 * height, 60.0) + 8;
    text += fmt::format("<text class=number x={:.1f} y={:.1f}>{}</text>", x, y, tile_number(i));
    if (result_.align_xz && t.linked && width > 90)
      text += fmt::format("<text class=number x={:.1f} y={:.1f}>z {:+.1f}</text>", x, y + 16,
                          std::abs(t.shift_voxels.z) < 0.05 ? 0.0 : t.shift_voxels.z);
    return text;
  }

  /// A short bar over the common border, so that arrows at the centres stay visible.
  std::string link(const AlignedLink& one) const {
    const Point a = at(outline(result_.tiles[one.fixed], result_.voxel_um).centre());
    const Point b = at(outline(result_.tiles[one.moving], result_.voxel_um).centre());
    const auto between = [&](double f) { return Point{a.x + f * (b.x - a.x), a.y + f * (b.y - a.y)}; };
    // Links over a corner cross each other: each stays on the side of its first tile.
    const bool corner = std::abs(a.x - b.x) > 1 && std::abs(a.y - b.y) > 1;
    const Point from = between(corner ? 0.39 : 0.36), to = between(corner ? 0.48 : 0.64);
    const Point middle = between(corner ? 0.435 : 0.5);
    const Grade grade = grade_of(one);
    std::string text = fmt::format(
        "<path class=\"link {}\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"><title>{} – {}{}</title></path>",
        look_of(one).name, from.x, from.y, to.x, to.y, tile_number(one.fixed), tile_number(one.moving),
        one.rejection.empty() ? "" : ": " + html_escape(one.rejection));
    if (grade == Grade::contradicts)
      text += fmt::format("<path class=cross d=\"M{:.1f} {:.1f}l12 12m0 -12l-12 12\"/>", middle.x - 6,
                          middle.y - 6);
    return text;
  }

  std::string shift(std::size_t i) const {
    const AlignedTile& t = result_.tiles[i];
    const Rectangle r = outline(t, result_.voxel_um);
    const Point centre = at(r.centre());
    if (!t.linked) {
      // Where there is no room the hatching and the legend say it.
      if (result_.tiles.size() < 2 || r.height * scale_ < 34 || r.width * scale_ < 170) return "";
      return fmt::format("<text class=middle x={:.1f} y={:.1f}>stays at the stage</text>", centre.x,
                         centre.y);
    }
    Point by{t.shift_voxels.x * result_.voxel_um.x * exaggeration_ * scale_,
             t.shift_voxels.y * result_.voxel_um.y * exaggeration_ * scale_};
    const double length = std::hypot(by.x, by.y), most = 0.8 * std::min(r.width, r.height) * scale_;
    if (!(length > most)) return arrow(centre, by, "");
    by = {by.x * most / length, by.y * most / length};
    return arrow(centre, by, " cut");
  }

  const AlignmentResult& result_;
  const std::vector<std::size_t>& tiles_;
  double exaggeration_;
  double left_ = 0, top_ = 0, scale_ = 1, width_ = 0, height_ = 0;
};

/// So that all but the longest tenth of the arrows are at most a third of a tile long.
double exaggeration_of(const AlignmentResult& result) {
  std::vector<double> lengths;
  double tile = 1e300;
  for (const AlignedTile& t : result.tiles) {
    const Rectangle r = outline(t, result.voxel_um);
    tile = std::min({tile, r.width, r.height});
    if (t.linked)
      lengths.push_back(
          std::hypot(t.shift_voxels.x * result.voxel_um.x, t.shift_voxels.y * result.voxel_um.y));
  }
  if (lengths.empty()) return 1;
  const auto most = lengths.begin() + static_cast<std::ptrdiff_t>((lengths.size() - 1) * 9 / 10);
  std::nth_element(lengths.begin(), most, lengths.end());
  return round_down(std::min(0.33 * tile / std::max(*most, 1e-9), 1000.0));
}

std::string legend(double exaggeration) {
  std::string text = "<div class=legend>";
  for (const GradeLook& look : kGrades)
    text += fmt::format(
        "<span><svg width=46 height=12><path class=\"link {0}\" d=\"M1 6h44\"/>{2}</svg>{1}</span>",
        look.name, look.words,
        look.name == "contradicts" ? "<path class=cross d=\"M18 1l10 10m0 -10l-10 10\"/>" : "");
  text += fmt::format(
      "<span><svg width=46 height=12>{}</svg>shift of a tile, {}</span>", arrow({2, 6}, {42, 0}, ""),
      exaggeration > 1 ? fmt::format("drawn {:.0f} times too long", exaggeration) : "to scale");
  text += fmt::format("<span><svg width=46 height=12>{}</svg>longer than drawn</span>",
                      arrow({2, 6}, {42, 0}, " cut"));
  text +=
      "<span><svg width=46 height=14><rect class=\"tile stays\" x=1 y=1 width=44 height=12 /></svg>no "
      "trusted link: "
      "stays where the stage says</span>"
      "<span><svg width=46 height=14><rect class=\"tile odd\" x=2 y=2 width=42 height=10 /></svg>something "
      "is odd, "
      "see the tables</span>";
  return text + "</div>";
}

std::string links_across(const AlignmentResult& result, const std::vector<std::uint8_t>& here) {
  std::array<std::size_t, kGrades.size()> counts{};
  for (const AlignedLink& link : result.links)
    if (here[link.fixed] != here[link.moving]) ++counts[static_cast<std::size_t>(grade_of(link))];
  std::string text;
  for (std::size_t g = 0; g < kGrades.size(); ++g)
    if (counts[g] > 0)
      text += fmt::format("{}{} × {}", text.empty() ? "" : "; ", counts[g], kGrades[g].words);
  return text.empty() ? "" : "<figcaption>Links to tiles above and below: " + text + ".</figcaption>";
}

}  // namespace

std::string tile_maps(const AlignmentResult& result) {
  const double exaggeration = exaggeration_of(result);
  const Ranks ranks = ranks_of(result);
  std::string text =
      "<p class=soft>Seen from above: x of the stage to the right, y (along the rows of a frame) down, tiles "
      "where the stage says. Bars are overlaps, arrows the shifts in x and y";
  text += result.align_xz ? ", numbers with z the shifts in z (voxels).</p>" : "; only y was solved for.</p>";
  text += legend(exaggeration);
  std::size_t shown = 0;
  for (const auto& [z, tiles] : ranks) {
    if (shown == kOpenMaps && ranks.size() > kOpenMaps + 1)
      text += fmt::format("<details><summary>{} more positions in z</summary>", ranks.size() - kOpenMaps);
    std::vector<std::uint8_t> here(result.tiles.size());
    for (const std::size_t i : tiles) here[i] = 1;
    text += "<figure>";
    if (ranks.size() > 1) text += fmt::format("<h3>z = {:.1f} µm</h3>", static_cast<double>(z) / 10);
    text += Map(result, tiles, exaggeration).svg(here) + links_across(result, here) + "</figure>";
    ++shown;
  }
  if (ranks.size() > kOpenMaps + 1) text += "</details>";
  return text;
}

}  // namespace spim::detail
