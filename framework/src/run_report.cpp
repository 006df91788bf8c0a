#include "spim/host/run_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "html.hpp"
#include "report_parts.hpp"
#include "run_report_parts.hpp"
#include "spim/error.hpp"

namespace spim {

using detail::html_escape;
using nlohmann::ordered_json;

namespace {

/// More warnings are folded.
constexpr std::size_t kOpenWarnings = 12;

std::string name_of(const ordered_json& manifest) {
  const ordered_json options = manifest["plan"].value("options", ordered_json::object());
  std::string channel = manifest.value("channel", "");
  if (channel.empty() && !manifest.value("tiles", ordered_json::array()).empty()) {
    // CHANNEL/<x>/<x>_<y>/<z>.dcimg
    const std::filesystem::path tile = manifest["tiles"][0].value("file", "");
    channel = tile.parent_path().parent_path().parent_path().string();
  }
  return std::filesystem::path(channel).filename().string();
}

/// Sentences about what somebody should look at.
std::vector<std::string> concerns(const ordered_json& manifest) {
  std::vector<std::string> all;
  const std::size_t warnings = manifest.value("warnings", ordered_json::array()).size();
  const std::size_t bad = manifest.value("bad_frames", ordered_json::array()).size();
  const ordered_json alignment = manifest.value("alignment", ordered_json::object());
  const std::string verdict = alignment.value("verdict", "good");
  if (verdict != "good") all.push_back("The verdict of the alignment is: " + verdict + ".");
  if (bad > 0)
    all.push_back(
        fmt::format("Frames that could not be read were bridged in {} place{}.", bad, bad == 1 ? "" : "s"));
  if (warnings > 0)
    all.push_back(fmt::format("There {} {} warning{}, see below.", warnings == 1 ? "was" : "were", warnings,
                              warnings == 1 ? "" : "s"));
  return all;
}

std::string verdict_box(const ordered_json& manifest) {
  const std::vector<std::string> all = concerns(manifest);
  std::string text = fmt::format(
      "<div class=\"verdict {}\" id=\"verdict\"><strong><span class=\"sign\">{}</span>{}</strong>",
      all.empty() ? "good" : "look", all.empty() ? "✓" : "!",
      all.empty() ? "The volume is complete" : "The volume is complete; something is worth a look");
  for (const std::string& one : all) text += html_escape(one) + " ";
  if (all.empty()) text += "Nothing odd was noticed while it was made.";
  return text + "</div>";
}

std::string extent_text(const ordered_json& shape, const ordered_json& voxel_um) {
  std::string text;
  for (std::size_t i = 0; i < 3; ++i)
    text += fmt::format("{}{:.4g}", i == 0 ? "" : " × ",
                        shape[i].get<double>() * voxel_um[i].get<double>() / 1000);
  return text + " mm";
}

std::string figures(const ordered_json& manifest) {
  std::string text = "<div class=\"figures three\">";
  const auto figure = [&](const std::string& value, const std::string& what) {
    text += "<div><b>" + value + "</b><span>" + what + "</span></div>";
  };
  const ordered_json& result = manifest["result"];
  const ordered_json &shape = result["shape"], &um = result["voxel_um"], &camera = manifest["camera"];
  const auto at = [](const ordered_json& list, std::size_t i) { return list[i].get<std::int64_t>(); };
  figure(fmt::format("{} × {} × {}", detail::grouped(at(shape, 0)), detail::grouped(at(shape, 1)),
                     detail::grouped(at(shape, 2))),
         fmt::format("voxels x, y, z: {}", extent_text(shape, um)));
  figure(
      fmt::format("{:.4g} × {:.4g} × {:.4g}", um[0].get<double>(), um[1].get<double>(), um[2].get<double>()),
      fmt::format("µm of a voxel x, y, z; {} level{}", result.value("levels", 1),
                  result.value("levels", 1) == 1 ? "" : "s"));
  figure(detail::size_text(result.value("camera_bytes", 0.0)),
         fmt::format("of camera data: {} frame{} in {} tile{}",
                     detail::grouped(camera.value("frames", std::int64_t{0})),
                     camera.value("frames", 0) == 1 ? "" : "s", camera.value("tiles", 0),
                     camera.value("tiles", 0) == 1 ? "" : "s"));
  figure(detail::size_text(result.value("stored_bytes", 0.0)),
         fmt::format("stored: a ratio of {:.2f}", result.value("ratio", 0.0)));
  const double work = manifest["time"].value("work_seconds", 0.0),
               seconds = manifest["time"].value("seconds", 0.0);
  const std::size_t processes = manifest["processes"].size();
  figure(detail::duration_text(work),
         processes == 1 ? "from start to end"
                        : fmt::format("of {} processes together; {} from the first start to the end",
                                      processes, detail::duration_text(seconds)));
  if (work > 0)
    figure(detail::size_text(result.value("camera_bytes", 0.0) / work) + "/s",
           "camera data per second of the whole run");
  return text + "</div>";
}

std::string warnings(const ordered_json& manifest) {
  const ordered_json all = manifest.value("warnings", ordered_json::array());
  if (all.empty()) return "";
  std::string text = "<h2>Warnings</h2><ul class=\"findings\">";
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == kOpenWarnings)
      text += fmt::format("</ul><details><summary>{} more</summary><ul class=\"findings\">", all.size() - i);
    text += "<li>" + html_escape(all[i].get<std::string>()) + "</li>";
  }
  return text + (all.size() > kOpenWarnings ? "</ul></details>" : "</ul>");
}

std::string pictures_of(const RunPictures& pictures) {
  std::string text = "<h2>The volume from three sides</h2>";
  if (pictures.projections) text += detail::projection_figure(*pictures.projections);
  for (const std::string& why : pictures.missing) text += "<p class=\"soft\">" + html_escape(why) + "</p>";
  return text;
}

std::string corrections_of(const RunPictures& pictures) {
  if (!pictures.corrections && !pictures.profile) return "";
  std::string text = "<h2>Corrections</h2>";
  if (pictures.corrections)
    text += "<h3>A camera frame</h3>" + detail::correction_figure(*pictures.corrections);
  if (pictures.profile) text += "<h3>Illumination</h3>" + detail::profile_figure(*pictures.profile);
  return text;
}

}  // namespace

std::string run_report(const std::string& manifest_text, const RunPictures& pictures,
                       const std::filesystem::path& page) try {
  const ordered_json manifest = ordered_json::parse(manifest_text);
  std::string text = detail::page_head("Run of " + name_of(manifest));
  text += verdict_box(manifest);
  if (manifest.contains("result")) text += figures(manifest);
  text += warnings(manifest) + pictures_of(pictures) + detail::tile_section(manifest, page);
  text += corrections_of(pictures) + detail::frames_section(manifest) + detail::throughput_section(manifest) +
          detail::origin_section(manifest);
  text += fmt::format(
      "<footer>spimstitch {}. The numbers are those of {}. Printing keeps what is "
      "unfolded.</footer></body></html>\n",
      html_escape(manifest.value("spimstitch", "")),
      html_escape(std::filesystem::path(page).stem().stem().string() + ".run.json"));
  return text;
} catch (const ordered_json::exception& error) {
  throw Error(fmt::format("{}: the manifest beside it cannot be understood: {}; make it again", page.string(),
                          error.what()));
}

}  // namespace spim
