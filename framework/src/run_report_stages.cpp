// Where the time of a run went, what became of its frames, and what it was made by.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "html.hpp"
#include "run_report_parts.hpp"

namespace spim::detail {

namespace {

using nlohmann::ordered_json;

struct Word {
  const char* key;
  const char* text;
};

constexpr Word kStageWords[] = {{"read", "camera files to oriented frames"},
                                {"correct", "dark, stripes, illumination"},
                                {"place", "deskew and blend"},
                                {"halve", "lower resolutions"},
                                {"encode", "compression and writing"},
                                {"commit", "checksums, and waiting for the disk"}};

const char* words_of(const std::string& stage) {
  for (const Word& word : kStageWords)
    if (stage == word.key) return word.text;
  return "";
}

double number(const ordered_json& json, const char* key) {
  return json.contains(key) && json[key].is_number() ? json[key].get<double>() : 0;
}

std::string bar(double part) {
  return fmt::format("<td class=\"meter\"><i style=\"width:{:.1f}%\"></i></td>",
                     std::clamp(100 * part, 0.0, 100.0));
}

std::string phase_table(const ordered_json& manifest) {
  double all = 0, camera = number(manifest.value("camera", ordered_json::object()), "bytes");
  for (const auto& [name, phase] : manifest["phases"].items()) all += number(phase, "seconds");
  std::string text =
      "<table><thead><tr><th>phase</th><th class=\"n\">time</th><th class=\"meter\">share</th><th "
      "class=\"n\">camera data per second</th></tr></thead><tbody>";
  for (const auto& [name, phase] : manifest["phases"].items()) {
    const double seconds = number(phase, "seconds");
    text += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td>{}<td class=\"n\">{}</td></tr>",
                        html_escape(name), duration_text(seconds), bar(all > 0 ? seconds / all : 0),
                        name == "sweep" && seconds > 0 ? size_text(camera / seconds) : "");
  }
  return text + "</tbody></table>";
}

std::string stage_table(const ordered_json& manifest) {
  double all = 0;
  for (const auto& [name, stage] : manifest["stages"].items()) all += number(stage, "cpu_seconds");
  std::string text =
      "<table><thead><tr><th>stage</th><th>what</th><th class=\"n\">CPU time</th><th "
      "class=\"meter\">share</th><th "
      "class=\"n\">waiting</th><th class=\"n\">data</th><th class=\"n\">MB per CPU "
      "second</th></tr></thead><tbody>";
  for (const auto& [name, stage] : manifest["stages"].items()) {
    const double cpu = number(stage, "cpu_seconds"), wall = number(stage, "wall_seconds");
    text += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{:.2f} s</td>{}<td class=\"n\">{:.2f} s</td><td "
        "class=\"n\">{}</td><td class=\"n\">{:.0f}</td></tr>",
        html_escape(name), words_of(name), cpu, bar(all > 0 ? cpu / all : 0), std::max(0.0, wall - cpu),
        size_text(number(stage, "bytes")), number(stage, "mb_per_cpu_second"));
  }
  return text + "</tbody></table>";
}

std::string process_table(const ordered_json& manifest) {
  std::string text = fmt::format(
      "<details{}><summary>{} process{}</summary><table><thead><tr><th>process</th><th>host</th><th>start "
      "(UTC)</th><th class=\"n\">time</th><th class=\"n\">CPU time</th><th class=\"n\">workers</th><th "
      "class=\"n\">peak memory</th><th>phases</th></tr></thead><tbody>",
      manifest["processes"].size() <= 8 ? " open" : "", manifest["processes"].size(),
      manifest["processes"].size() == 1 ? "" : "es");
  for (const ordered_json& process : manifest["processes"]) {
    std::string phases;
    for (const auto& [name, seconds] : process["phases"].items())
      phases +=
          fmt::format("{}{} {}", phases.empty() ? "" : ", ", name, duration_text(seconds.get<double>()));
    text += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td>{}</td></tr>",
        html_escape(process.value("by", "")), html_escape(process.value("host", "")),
        html_escape(process.value("began", "")), duration_text(number(process, "seconds")),
        duration_text(number(process, "cpu_seconds")), process.value("workers", 0),
        size_text(number(process, "peak_memory_bytes")), html_escape(phases));
  }
  return text + "</tbody></table></details>";
}

std::string rows_of(const ordered_json& object, const std::string& prefix) {
  std::string text;
  for (const auto& [key, value] : object.items())
    if (!value.is_structured())
      text += fmt::format("<tr><td>{}{}</td><td>{}</td></tr>", prefix, html_escape(key),
                          html_escape(value.is_string() ? value.get<std::string>() : value.dump()));
  return text;
}

std::string options_table(const ordered_json& manifest) {
  const ordered_json& plan = manifest["plan"];
  const ordered_json& made =
      manifest.contains("saved") ? manifest["saved"] : plan.value("choices", ordered_json::object());
  std::string text = rows_of(made.value("options", ordered_json::object()), "--");
  for (const auto& [key, value] : made.items()) {
    if (key == "options" || !value.is_object() || !value.contains("id")) continue;
    text +=
        fmt::format("<tr><td>{}</td><td>{}</td></tr>", html_escape(key), html_escape(value.value("id", "")));
    text += rows_of(value.value("options", ordered_json::object()), html_escape(key) + ".");
  }
  return "<details><summary>completed options</summary><table class=\"options\"><tbody>" + text +
         "</tbody></table></details>";
}

std::string file_system_text(const ordered_json& manifest, const char* which) {
  const ordered_json systems = manifest.value("file_systems", ordered_json::object());
  const ordered_json system = systems.value(which, ordered_json::object());
  return fmt::format("{} at {}", system.value("type", "?"), system.value("mount", "?"));
}

std::string range_text(std::int64_t first, std::int64_t last) {
  return first == last ? std::to_string(first) : fmt::format("{}–{}", first, last);
}

}  // namespace

std::string size_text(double bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < std::size(units)) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.3g} {}", bytes, units[unit]);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 120) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{:.1f} s", seconds);
}

std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto i = static_cast<std::int64_t>(text.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3)
    text.insert(static_cast<std::size_t>(i), 1, ',');
  return text;
}

std::string throughput_section(const ordered_json& manifest) {
  if (!manifest.contains("phases") || manifest["phases"].empty()) return "";
  std::string text = "<h2>Throughput</h2>" + phase_table(manifest);
  if (!manifest.value("stages", ordered_json::object()).empty())
    text +=
        "<p class=\"soft\">CPU time of all threads. Stages exclude each other; waiting is time inside a "
        "stage "
        "without a core, mostly for the disk.</p>" +
        stage_table(manifest);
  return text + process_table(manifest);
}

std::string frames_section(const ordered_json& manifest) {
  std::string text;
  const ordered_json bad = manifest.value("bad_frames", ordered_json::array());
  if (!bad.empty()) {
    text +=
        "<h3>Frames that could not be read</h3><table><thead><tr><th>camera file</th><th "
        "class=\"n\">frames</th>"
        "<th class=\"n\">of</th><th>why</th><th class=\"n\">instead</th></tr></thead><tbody>";
    for (const ordered_json& row : bad)
      text += fmt::format(
          "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td "
          "class=\"n\">{}</td></tr>",
          html_escape(row.value("file", "")),
          range_text(row.value("first", std::int64_t{0}), row.value("last", std::int64_t{0})),
          row.value("of", std::int64_t{0}), html_escape(row.value("reason", "")),
          html_escape(row.value("instead", "")));
    text += "</tbody></table>";
  }
  const ordered_json gaps = manifest.value("dropped_frames", ordered_json::array());
  if (!gaps.empty()) {
    text +=
        "<h3>Frames that the camera dropped</h3><table><thead><tr><th>camera file</th><th class=\"n\">before "
        "frame</th><th class=\"n\">missing</th></tr></thead><tbody>";
    for (const ordered_json& row : gaps)
      text += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                          html_escape(row.value("file", "")), row.value("frame", std::int64_t{0}),
                          row.value("dropped", std::int64_t{0}));
    text += "</tbody></table>";
  }
  const ordered_json clipped = manifest.value("clipped", ordered_json::object());
  const auto below = clipped.value("below", std::int64_t{0}), above = clipped.value("above", std::int64_t{0});
  const auto samples = clipped.value("samples", std::int64_t{0});
  if (samples > 0)
    text += fmt::format(
        "<p>Of {} corrected pixels {} were below 0 and became 0; {} were above 65,535 and became 65,535.</p>",
        grouped(samples), grouped(below), grouped(above));
  if (bad.empty() && gaps.empty())
    text += "<p>Every frame was read, and the camera dropped none that it counted.</p>";
  return "<h2>Frames and pixels</h2>" + text;
}

std::string origin_section(const ordered_json& manifest) {
  const ordered_json machine = manifest.value("machine", ordered_json::object());
  const ordered_json time = manifest.value("time", ordered_json::object());
  std::string text = "<h2>How it was made</h2><table class=\"options\"><tbody>";
  const auto row = [&](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("<tr><td>{}</td><td>{}</td></tr>", name, html_escape(value));
  };
  row("program", "spimstitch " + manifest.value("spimstitch", ""));
  const ordered_json plugins = manifest["plan"].value("plugins", ordered_json::object());
  for (const auto& [what, version] : plugins.items())
    row("plugin", what + ": " + (version.is_string() ? version.get<std::string>() : version.dump()));
  row("started (UTC)", time.value("start", ""));
  row("finished (UTC)", time.value("end", ""));
  row("computer",
      fmt::format("{}: {}, {} cores, {} of memory", machine.value("host", "?"), machine.value("cpu", "?"),
                  machine.value("cores", 0), size_text(number(machine, "memory_bytes"))));
  row("system", machine.value("kernel", ""));
  row("camera files on", file_system_text(manifest, "input"));
  row("volume on", file_system_text(manifest, "output"));
  const ordered_json output = manifest.value("output", ordered_json::object());
  row("stored files", grouped(output.value("files", std::int64_t{0})));
  row("checksum of the volume", output.value("checksum", ""));
  for (const ordered_json& one : manifest.value("outputs", ordered_json::array()))
    row("output", one.value("format", "") + ": " + one.value("path", ""));
  return text + "</tbody></table>" + options_table(manifest);
}

}  // namespace spim::detail
