// Charts over all links and samples.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report_parts.hpp"

namespace spim::detail {

namespace {

struct Axis {
  const char* name;
  double Vec3::*of;
};
constexpr std::array<Axis, 3> kAxes{{{"x", &Vec3::x}, {"y", &Vec3::y}, {"z", &Vec3::z}}};

struct Range {
  double low = 0, high = 0;
  double clamp(double v) const noexcept { return std::clamp(v, low, high); }
};

Range widened(std::vector<double> values, double least) {
  if (values.empty()) return {-least, least};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double margin = std::max(0.08 * (*high - *low), 0.5 * (least - (*high - *low)));
  return {*low - std::max(margin, 1e-9), *high + std::max(margin, 1e-9)};
}

/// Where a chart's plot lies, pixels.
struct Frame {
  double left, top, width, height;
  Range across, up;

  double px(double v) const noexcept {
    return left + (across.clamp(v) - across.low) / (across.high - across.low) * width;
  }
  double py(double v) const noexcept {
    return top + height - (up.clamp(v) - up.low) / (up.high - up.low) * height;
  }
};

std::string axes(const Frame& f, int across, int up) {
  std::string text;
  for (const double t : ticks(f.up.low, f.up.high, up))
    text += fmt::format(
        "<path class={} d=\"M{:.1f} {:.1f}h{:.1f}\"/><text class=\"soft end\" x={:.1f} y={:.1f}>{:g}</text>",
        t == 0 ? "zero" : "grid", f.left, f.py(t), f.width, f.left - 6, f.py(t) + 4, t);
  for (const double t : ticks(f.across.low, f.across.high, across))
    text += fmt::format(
        "<path class=axis d=\"M{:.1f} {:.1f}v4\"/><text class=\"soft middle\" x={:.1f} y={:.1f}>{:g}</text>",
        f.px(t), f.top + f.height, f.px(t), f.top + f.height + 17, t);
  return text + fmt::format("<path class=axis d=\"M{:.1f} {:.1f}v{:.1f}h{:.1f}\"/>", f.left, f.top, f.height,
                            f.width);
}

/// The stage position between the tiles of a link, µm.
Vec3 middle(const AlignmentResult& result, const AlignedLink& link) {
  const Vec3 a = result.tiles[link.fixed].nominal_um, b = result.tiles[link.moving].nominal_um;
  return {(a.x + b.x) / 2, (a.y + b.y) / 2, (a.z + b.z) / 2};
}

/// One mark per link, of all links of one grade in one path.
std::string marks(const AlignmentResult& result, const Frame& f, Axis stage, Axis shift) {
  std::array<std::string, kGrades.size()> paths;
  for (const AlignedLink& link : result.links) {
    if (!link.measured) continue;
    const Grade grade = grade_of(link);
    const double x = f.px(middle(result, link).*stage.of / 1000), y = f.py(link.shift_voxels.*shift.of);
    std::string& path = paths[static_cast<std::size_t>(grade)];
    if (grade == Grade::agrees)
      path += fmt::format("M{:.1f} {:.1f}h0", x, y);
    else if (grade == Grade::doubtful)
      path += fmt::format("M{:.1f} {:.1f}l4.5 8h-9z", x, y - 5);
    else
      path += fmt::format("M{:.1f} {:.1f}l8 8m0 -8l-8 8", x - 4, y - 4);
  }
  std::string text;
  for (std::size_t g = 0; g < paths.size(); ++g)
    if (!paths[g].empty())
      text += fmt::format("<path class=\"{} {}\" d=\"{}\"/>", g == 0 ? "dots" : "marks", kGrades[g].name,
                          paths[g]);
  return text;
}

bool varies(const AlignmentResult& result, Axis axis) {
  return std::ranges::any_of(result.tiles, [&](const AlignedTile& t) {
    return std::abs(t.nominal_um.*axis.of - result.tiles.front().nominal_um.*axis.of) > 0.05;
  });
}

/// Of the links that agree, if any do: a few that lie must not squeeze the rest.
Range shift_range(const AlignmentResult& result, Axis axis) {
  std::vector<double> agree{0}, trusted{0};
  for (const AlignedLink& link : result.links) {
    if (link.trusted) trusted.push_back(link.shift_voxels.*axis.of);
    if (grade_of(link) == Grade::agrees) agree.push_back(link.shift_voxels.*axis.of);
  }
  return widened(agree.size() > 1 ? agree : trusted, 2);
}

Range stage_range(const AlignmentResult& result, Axis axis) {
  std::vector<double> values;
  for (const AlignedLink& link : result.links)
    if (link.measured) values.push_back(middle(result, link).*axis.of / 1000);
  return widened(std::move(values), 0.02);
}

}  // namespace

std::vector<double> ticks(double low, double high, int most) {
  double step = std::pow(10, std::floor(std::log10((high - low) / most)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0})
    if ((high - low) / (step * factor) <= most) {
      step *= factor;
      break;
    }
  std::vector<double> at;
  for (double k = std::ceil(low / step); k * step <= high; ++k) at.push_back(k == 0 ? 0 : k * step);
  return at;
}

std::string offset_charts(const AlignmentResult& result) {
  const bool any = std::ranges::any_of(result.links, [](const AlignedLink& l) { return l.measured; });
  if (!any) return "<p class=soft>No overlap was measured.</p>";
  std::vector<Axis> columns;
  for (const Axis axis : kAxes)
    if (varies(result, axis)) columns.push_back(axis);
  if (columns.empty()) columns.push_back(kAxes[1]);
  const double panel = 940.0 / static_cast<double>(columns.size()), height = 150;
  std::string text = fmt::format(
      "<figure><svg class=offsets viewBox=\"0 0 1000 {0}\" width=1000 height={0} role=img "
      "aria-label=\"offsets\">",
      3 * (height + 26) + 30);
  for (std::size_t row = 0; row < kAxes.size(); ++row) {
    const double top = 12 + static_cast<double>(row) * (height + 26);
    text += fmt::format(
        "<text class=middle transform=\"translate(14 {:.1f}) rotate(-90)\">shift in {}, voxels</text>",
        top + height / 2, kAxes[row].name);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Frame f{
          58 + static_cast<double>(c) * panel, top, panel - 44, height, stage_range(result, columns[c]),
          shift_range(result, kAxes[row])};
      text += axes(f, 6, 5) + marks(result, f, columns[c], kAxes[row]);
      if (row == 2)
        text += fmt::format("<text class=middle x={:.1f} y={:.1f}>{} of the stage, mm</text>",
                            f.left + f.width / 2, top + height + 36, columns[c].name);
    }
  }
  return text +
         "</svg><figcaption>How much further apart the tiles of each measured link are than the stage says, "
         "against "
         "where the link is. Dots: links that agree; triangles: doubtful links; crosses: rejected links. "
         "Those "
         "beyond the scale are at its edge. A slope means a wrong voxel size or a stage that stretches; a "
         "scatter "
         "without pattern means a stage that is not repeatable.</figcaption></figure>";
}

std::string correlation_histogram(const AlignmentResult& result) {
  double low = 0.9;
  std::size_t in = 0, out = 0;
  for (const AlignedLink& link : result.links)
    for (std::size_t i = 0; i < link.samples.size(); ++i) {
      low = std::min(low, link.samples[i].correlation);
      ++(i < link.agrees.size() && link.agrees[i] ? in : out);
    }
  if (in + out == 0) return "<p class=soft>There are no samples.</p>";
  low = std::max(-1.0, std::floor(low * 10) / 10);
  constexpr std::size_t kBins = 40;
  std::array<double, kBins> agree{}, differ{};
  for (const AlignedLink& link : result.links)
    for (std::size_t i = 0; i < link.samples.size(); ++i) {
      const double at = (link.samples[i].correlation - low) / (1 - low) * kBins;
      const auto bin = static_cast<std::size_t>(std::clamp(at, 0.0, kBins - 1.0));
      ++(i < link.agrees.size() && link.agrees[i] ? agree : differ)[bin];
    }
  double most = 1;
  for (std::size_t b = 0; b < kBins; ++b) most = std::max(most, agree[b] + differ[b]);
  const Frame f{58, 10, 930, 190, {low, 1}, {0, most * 1.05}};
  std::string text =
      "<figure><svg class=histogram viewBox=\"0 0 1000 246\" width=1000 height=246 role=img "
      "aria-label=\"histogram of "
      "correlations\">" +
      axes(f, 10, 4);
  const double width = f.width / kBins;
  const auto bar = [&](std::size_t b, double from, double to, const char* style) {
    if (to <= from) return;
    text +=
        fmt::format("<rect class=\"bar {}\" x={:.1f} y={:.1f} width={:.1f} height={:.1f} />", style,
                    f.left + static_cast<double>(b) * width + 1, f.py(to), width - 2, f.py(from) - f.py(to));
  };
  for (std::size_t b = 0; b < kBins; ++b) {
    bar(b, 0, agree[b], "in");
    bar(b, agree[b], agree[b] + differ[b], "out");
  }
  text += "<text class=middle x=523 y=240>correlation of a sample (Pearson)</text>";
  text += fmt::format(
      "</svg><div class=legend><span><svg width=20 height=12><rect class=\"bar in\" width=20 height=12 "
      "/></svg>{} samples "
      "that agree with the others of their overlap</span><span><svg width=20 height=12><rect class=\"bar "
      "out\" width=20 "
      "height=12 /></svg>{} that do not</span></div></figure>",
      in, out);
  return text;
}

}  // namespace spim::detail
