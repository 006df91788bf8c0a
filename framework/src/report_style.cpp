// What the pages have in common: head, style, patterns.
#include <fmt/format.h>

#include "html.hpp"
#include "report_parts.hpp"

namespace spim::detail {

namespace {

/// Hatching tells areas apart without colours.
constexpr const char* kPatterns =
    "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\"><defs><pattern "
    "id=\"hatch\" "
    "width=\"9\" height=\"9\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect "
    "class=\"ground\" width=\"9\" height=\"9\"/><path class=\"stripe\" d=\"M0 0v9\" "
    "stroke-width=\"2\"/></pattern><pattern id=\"slanted\" width=\"5\" height=\"5\" "
    "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"5\" height=\"5\" "
    "fill=\"#fbe3d8\"/><path d=\"M0 0v5\" stroke=\"#c8400a\" stroke-width=\"2\"/></pattern></defs></svg>";

constexpr const char* kReportStyle = R"css(
:root { --agrees: #0072b2; --doubtful: #e69f00; --contradicts: #c8400a; --unused: #8a8a8a; --ink: #1b1f24; --soft: #59636e;
  --line: #d5dae0; --wash: #f5f7f9; --page: #fff; --arrow: #111; --axis: #9aa3ad; --grid: #e8ebee;
  --good: #eef6fb; --look: #fef8ea; --stop: #fdf0ea; --ground: #f4f4f4; --stripe: #b4b9bf; --bar: #7aa9cc; color-scheme: light dark; }
@media screen and (prefers-color-scheme: dark) {
  :root { --agrees: #56b4e9; --doubtful: #f0b63f; --contradicts: #ff7a45; --unused: #9aa0a6; --ink: #e7eaee; --soft: #a2acb7;
    --line: #363d46; --wash: #1d232a; --page: #12161b; --arrow: #f2f2f2; --axis: #77818c; --grid: #2a3038;
    --good: #10293a; --look: #33290f; --stop: #3a1d12; --ground: #1d232a; --stripe: #4a535d; --bar: #3f77a3; }
}
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: var(--ink); background: var(--page);
  max-width: 1060px; margin: 0 auto; padding: 24px 28px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 2px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 6px; padding-bottom: 4px; border-bottom: 1px solid var(--line); }
h3 { font-size: 15px; margin: 20px 0 6px; overflow-wrap: anywhere; }
p { margin: 6px 0; max-width: 78ch; }
.soft, figcaption { color: var(--soft); font-size: 13px; }
.verdict { margin: 18px 0 14px; padding: 14px 20px; border: 2px solid; border-left-width: 14px; border-radius: 6px; }
.verdict strong { font-size: 22px; display: block; }
.verdict .sign { font-size: 24px; margin-right: 10px; }
.verdict.good { border-color: var(--agrees); background: var(--good); }
.verdict.look { border-color: var(--doubtful); background: var(--look); }
.verdict.stop { border-color: var(--contradicts); background: var(--stop); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(215px, 1fr)); gap: 10px; margin: 14px 0; }
.figures div { background: var(--wash); border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; }
.figures b { display: block; font-size: 20px; line-height: 1.3; }
.figures span { color: var(--soft); font-size: 13px; }
.figures.three { grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); }
ul.findings { padding-left: 22px; margin: 8px 0; }
ul.findings li { margin: 3px 0; overflow-wrap: anywhere; }
figure { margin: 10px 0 18px; }
svg { display: block; max-width: 100%; height: auto; }
svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink); }
svg text.soft { fill: var(--soft); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .axis { stroke: var(--axis); stroke-width: 1; fill: none; }
svg .grid { stroke: var(--grid); stroke-width: 1; fill: none; }
svg .zero { stroke: var(--axis); stroke-width: 1; stroke-dasharray: 2 3; fill: none; }
.tile { fill: #56b4e9; fill-opacity: .10; stroke: #7c8894; stroke-width: 1; }
.tile.stays { fill: url(#hatch); fill-opacity: 1; }
.tile.odd { stroke: var(--contradicts); stroke-width: 2.5; }
.number { fill: var(--soft) !important; }
.arrow { stroke: var(--arrow); stroke-width: 1.8; fill: none; }
.arrow.cut { stroke-dasharray: 4 3; }
.head { fill: var(--arrow); }
.ground { fill: var(--ground); } .stripe { stroke: var(--stripe); }
.link { fill: none; stroke-linecap: butt; }
.link.agrees { stroke: var(--agrees); stroke-width: 4; }
.link.doubtful { stroke: var(--doubtful); stroke-width: 4; stroke-dasharray: 7 4; }
.link.contradicts { stroke: var(--contradicts); stroke-width: 4; stroke-dasharray: 3 3; }
.link.unused { stroke: var(--unused); stroke-width: 2; stroke-dasharray: 1.5 4; }
.cross { stroke: var(--contradicts); stroke-width: 2.4; fill: none; }
.dots { fill: none; stroke-linecap: round; }
.dots.agrees { stroke: var(--agrees); stroke-width: 6; stroke-opacity: .75; }
.marks.doubtful { fill: none; stroke: #b97f00; stroke-width: 1.8; }
.marks.contradicts { fill: none; stroke: var(--contradicts); stroke-width: 2; }
.bar.in { fill: var(--agrees); } .bar.out { fill: url(#slanted); stroke: var(--contradicts); stroke-width: .6; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; font-size: 13px; color: var(--soft); margin: 6px 0; align-items: center; }
.legend span { display: inline-flex; align-items: center; gap: 7px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 8px 0; }
th { text-align: left; font-weight: 600; background: var(--wash); }
th, td { border-bottom: 1px solid var(--line); padding: 4px 8px; vertical-align: top; overflow-wrap: break-word; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.options td:first-child { width: 240px; }
th.remark { min-width: 220px; }
td.path { min-width: 180px; }
td.nowrap { white-space: nowrap; }
.chip { white-space: nowrap; border-left: 5px solid; padding-left: 6px; }
.chip.agrees { border-color: var(--agrees); } .chip.doubtful { border-color: var(--doubtful); border-left-style: dashed; }
.chip.contradicts { border-color: var(--contradicts); border-left-style: double; } .chip.unused { border-color: var(--unused); border-left-style: dotted; }
details { margin: 10px 0; } summary { cursor: pointer; font-weight: 600; }
.pictures { display: flex; flex-wrap: wrap; gap: 14px 22px; }
.pictures figure { width: min-content; min-width: 300px; }
.pair { display: flex; gap: 8px; } .pair div { display: flex; flex-direction: column; }
.pair img { image-rendering: pixelated; background: #10131a; border: 1px solid var(--line); }
.pair span { font-size: 13px; color: var(--soft); }
.swatch { display: inline-block; width: 13px; height: 13px; border: 1px solid #888; vertical-align: -2px; margin: 0 3px; }
a { color: var(--agrees); }
.projections image { image-rendering: auto; }
.scalebar { fill: var(--ink); } svg .axishead { fill: var(--axis); }
.twin { display: flex; flex-wrap: wrap; gap: 14px; margin: 8px 0; } .twin > div { flex: 1 1 380px; min-width: 0; }
.twin span { display: block; font-size: 13px; color: var(--soft); }
img.frame { width: 100%; max-height: 620px; object-fit: contain; object-position: left; display: block; }
img.detail { image-rendering: pixelated; }
.curve { fill: none; stroke-width: 2.4; } .curve.one { stroke: var(--agrees); } .curve.two { stroke: var(--doubtful); stroke-dasharray: 7 4; }
td.meter { width: 24%; min-width: 90px; vertical-align: middle; } td.meter i { display: block; height: 13px; min-width: 1px; background: var(--bar); border-radius: 2px; }
footer { margin-top: 40px; color: var(--soft); font-size: 13px; border-top: 1px solid var(--line); padding-top: 8px; }
@page { size: A4; margin: 13mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  h2 { margin-top: 22px; break-after: avoid; } h3 { break-after: avoid; }
  figure, .verdict, .figures, .shown, tr { break-inside: avoid; }
  table, td, th { font-size: 10px; } thead { display: table-header-group; }
}
)css";

}  // namespace

std::string page_head(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
      "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "img-src "
      "data:\"><meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" "
      "href=\"data:,\"><title>{0}</title><style>{1}</style></head><body>{2}<h1>{0}</h1>",
      html_escape(title), kReportStyle, kPatterns);
}

}  // namespace spim::detail
