// Pictures of a run: projections with axes, a frame before and after, the illumination.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "html.hpp"
#include "report_parts.hpp"
#include "run_report_parts.hpp"

namespace spim::detail {

namespace {

constexpr double kWidth = 1000, kHeight = 900;  // pixels of the largest drawing
constexpr double kGap = 10, kMargin = 34;       // between pictures, and for the names of axes
/// A side that would be drawn thinner is stretched to this, so that there is something to see.
constexpr double kThinnest = 14;

std::string image(const ReportPicture& picture, double x, double y, double width, double height) {
  return fmt::format(
      "<image x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" preserveAspectRatio=\"none\" "
      "href=\"{}\"/>",
      x, y, width, height, data_uri("image/png", picture.png));
}

std::string text_at(double x, double y, const std::string& text, const char* style = "") {
  return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", style, x, y, text);
}

std::string length_text(double um) {
  return um >= 1000 ? fmt::format("{:.4g} mm", um / 1000) : fmt::format("{:.4g} µm", um);
}

/// 1, 2 or 5 times a power of ten, at most `um`.
double round_length(double um) {
  const double power = std::pow(10, std::floor(std::log10(std::max(um, 1e-6))));
  for (const double step : {5.0, 2.0})
    if (step * power <= um) return step * power;
  return power;
}

/// A bar of a round length about a fifth of the drawing, dark on light and light on dark.
std::string scale_bar(double x, double y, double pixels_per_um, double um_at_most) {
  const double um = round_length(um_at_most), length = um * pixels_per_um;
  return fmt::format("<rect class=\"scalebar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"5\"/>", x,
                     y, length) +
         text_at(x + length + 8, y + 7, length_text(um));
}

std::string axis(double x, double y, double dx, double dy, const char* name) {
  const double tip_x = x + dx, tip_y = y + dy, ux = dx != 0 ? 1 : 0, uy = dy != 0 ? 1 : 0;
  std::string text = fmt::format(
      "<path class=\"axis\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/><path class=\"axishead\" d=\"M{:.1f} "
      "{:.1f}L{:.1f} "
      "{:.1f}L{:.1f} {:.1f}Z\"/>",
      x, y, tip_x, tip_y, tip_x, tip_y, tip_x - 7 * ux - 4 * uy, tip_y - 7 * uy - 4 * ux,
      tip_x - 7 * ux + 4 * uy, tip_y - 7 * uy + 4 * ux);
  return text + (dx != 0 ? text_at(tip_x + 6, tip_y + 4, name) : text_at(tip_x - 3, tip_y + 15, name));
}

/// Side lengths on the page, and which of them are not to scale.
struct Sides {
  double x = 0, y = 0, z = 0, pixels_per_um = 1;
  std::string stretched;
};

Sides sides_of(const ProjectionPictures& p) {
  const double x = p.xy.width_um, y = p.xy.height_um, z = p.zy.width_um;
  Sides sides;
  sides.pixels_per_um = std::min((kWidth - 2 * kMargin - kGap) / std::max(x + z, 1e-6),
                                 (kHeight - 2 * kMargin - kGap) / std::max(y + z, 1e-6));
  const auto side = [&](double um, const char* name) {
    const double length = um * sides.pixels_per_um;
    if (length < kThinnest)
      sides.stretched +=
          fmt::format(" {} is drawn {:.3g} times too large.", name, kThinnest / std::max(length, 1e-6));
    return std::max(length, kThinnest);
  };
  sides.x = side(x, "x");
  sides.y = side(y, "y");
  sides.z = side(z, "z");
  return sides;
}

std::string pair_figure(const ReportPicture& before, const ReportPicture& after, const char* what,
                        const char* style) {
  const auto half = [&](const ReportPicture& picture, const char* when) {
    return fmt::format("<div><img class=\"{}\" alt=\"{} {}\" src=\"{}\"><span>{}, {}</span></div>", style,
                       what, when, data_uri("image/png", picture.png), what, when);
  };
  return "<div class=\"twin\">" + half(before, "before") + half(after, "after") + "</div>";
}

std::string curve(const std::vector<double>& values, const char* style, double width, double height,
                  double low) {
  std::string path;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x =
        values.size() > 1 ? width * static_cast<double>(i) / static_cast<double>(values.size() - 1) : 0;
    path +=
        fmt::format("{}{:.1f} {:.1f}", i == 0 ? 'M' : 'L', 40 + x, 10 + height * (1 - values[i]) / (1 - low));
  }
  return fmt::format("<path class=\"curve {}\" d=\"{}\"/>", style, path);
}

std::string profile_curves(const ProfilePictures& profile) {
  constexpr double kCurveWidth = 380, kCurveHeight = 190;
  double low = 0.95;
  for (const auto* values : {&profile.along_x, &profile.along_y})
    for (const double v : *values) low = std::min(low, v);
  low = std::floor(low * 20) / 20;
  std::string text = fmt::format(
      "<svg viewBox=\"0 0 440 240\" width=\"440\" height=\"240\" role=\"img\" aria-label=\"illumination "
      "along both "
      "axes\">");
  for (const double tick : ticks(low, 1, 5)) {
    const double y = 10 + kCurveHeight * (1 - tick) / (1 - low);
    text += fmt::format("<path class=\"grid\" d=\"M40 {0:.1f}h{1}\"/>", y, kCurveWidth) +
            text_at(34, y + 4, fmt::format("{:.2g}", tick), "soft end");
  }
  text += curve(profile.along_x, "one", kCurveWidth, kCurveHeight, low) +
          curve(profile.along_y, "two", kCurveWidth, kCurveHeight, low);
  text += text_at(40, 228, "first pixel", "soft") + text_at(40 + kCurveWidth, 228, "last pixel", "soft end");
  return text +
         "</svg><div class=\"legend\"><span><svg width=\"40\" height=\"10\"><path class=\"curve one\" "
         "d=\"M1 5h38\"/></svg>along x of the camera (depth)</span><span><svg width=\"40\" "
         "height=\"10\"><path "
         "class=\"curve two\" d=\"M1 5h38\"/></svg>along y</span></div>";
}

}  // namespace

std::string projection_figure(const ProjectionPictures& pictures) {
  const Sides s = sides_of(pictures);
  const double left = kMargin, top = 8, right = left + s.x + kGap, below = top + s.y + kGap;
  const double width = right + s.z + kMargin, height = std::max(below + s.z, top + s.y) + 42;
  std::string text = fmt::format(
      "<figure><svg class=\"projections\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" "
      "role=\"img\" aria-label=\"maximum projections along z, y and x\">",
      std::max(width, 320.0), height);
  text += image(pictures.xy, left, top, s.x, s.y) + image(pictures.zy, right, top, s.z, s.y) +
          image(pictures.xz, left, below, s.x, s.z);
  // The corner that the three pictures leave free, or below them when it is too small.
  const double corner_x = right + 12, corner_y = below + 16;
  const bool fits = s.z > 130 && s.x > 40;
  text += axis(left - 16, top + 2, 0, std::clamp(s.y - 24, 10.0, 60.0), "y") +
          axis(left, below + s.z + 14, std::clamp(s.x - 20, 20.0, 60.0), 0, "x");
  text += axis(left - 16, below + 2, 0, std::clamp(s.z - 24, 8.0, 60.0), "z");
  text += axis(right, top + s.y + 14, std::clamp(s.z - 16, 12.0, 60.0), 0, "z");
  if (fits)
    text += scale_bar(corner_x, corner_y + 40, s.pixels_per_um, 0.3 * (s.z - 20) / s.pixels_per_um);
  else
    text += scale_bar(left + 110, height - 14, s.pixels_per_um, 120 / s.pixels_per_um);
  return text + "</svg><figcaption>" + html_escape(pictures.caption) + html_escape(s.stretched) +
         "</figcaption></figure>";
}

std::string correction_figure(const CorrectionPictures& pictures) {
  return "<figure>" + pair_figure(pictures.before, pictures.after, "whole frame", "frame") +
         pair_figure(pictures.detail_before, pictures.detail_after, "detail", "frame detail") +
         "<figcaption>" + html_escape(pictures.caption) + "</figcaption></figure>";
}

std::string profile_figure(const ProfilePictures& profile) {
  return fmt::format(
      "<figure class=\"profile\"><div class=\"twin\"><div><img class=\"frame\" alt=\"illumination profile\" "
      "src=\"{}\"><span>black is {:.2f} of the brightest pixel, white 1</span></div><div>{}</div></div>"
      "<figcaption>{}</figcaption></figure>",
      data_uri("image/png", profile.picture.png), profile.darkest, profile_curves(profile),
      html_escape(profile.caption));
}

}  // namespace spim::detail
