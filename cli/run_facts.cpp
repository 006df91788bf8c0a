#include "run_facts.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "run_record.hpp"

namespace spim::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

/// The order in which phases are told.
constexpr const char* kPhases[] = {"illumination", "alignment", "sweep", "levels", "finish"};

std::string utc(double seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::vector<ordered_json> records_of(const RunFolder& folder) {
  std::vector<ordered_json> records;
  for (const std::string& text : run_records(folder)) records.push_back(ordered_json::parse(text));
  return records;
}

/// Adds the numbers of `from` to those of the same names in `to`.
void add_numbers(ordered_json& to, const ordered_json& from) {
  if (to.is_null()) to = ordered_json::object();
  for (const auto& [key, value] : from.items()) {
    if (value.is_object()) {
      add_numbers(to[key], value);
    } else if (value.is_number()) {
      const ordered_json before = to.value(key, ordered_json(0));
      if (value.is_number_integer() && before.is_number_integer())
        to[key] = before.get<std::int64_t>() + value.get<std::int64_t>();
      else
        to[key] = before.get<double>() + value.get<double>();
    }
  }
}

/// Members that `from` has in an order of their own.
ordered_json in_order(const ordered_json& from, std::span<const char* const> order) {
  ordered_json sorted = ordered_json::object();
  for (const char* key : order)
    if (from.contains(key)) sorted[key] = from[key];
  return sorted;
}

void add_times(ordered_json& document, const std::vector<ordered_json>& records) {
  double began = records.front().value("began", 0.0), ended = began, work = 0;
  for (const ordered_json& record : records) {
    ended = std::max(ended, record.value("ended", began));
    work += record.value("ended", 0.0) - record.value("began", 0.0);
  }
  document["time"] = {
      {"start", utc(began)}, {"end", utc(ended)}, {"seconds", ended - began}, {"work_seconds", work}};
  ordered_json phases = ordered_json::object(), stages = ordered_json::object();
  for (const ordered_json& record : records)
    add_numbers(phases, record.value("phases", ordered_json::object()));
  for (const auto& [name, phase] : phases.items())
    if (phase.contains("stages")) add_numbers(stages, phase["stages"]);
  std::vector<const char*> order;
  order.reserve(kAllStages.size());
  for (const Stage stage : kAllStages) order.push_back(stage_word(stage).data());
  ordered_json& sums = document["stages"] = in_order(stages, order);
  for (auto& [name, stage] : sums.items()) {
    const double cpu = stage.value("cpu_seconds", 0.0);
    stage["mb_per_cpu_second"] = cpu > 0 ? stage.value("bytes", 0.0) / 1e6 / cpu : 0;
  }
  document["phases"] = in_order(phases, kPhases);
}

void add_processes(ordered_json& document, const std::vector<ordered_json>& records) {
  ordered_json& all = document["processes"] = ordered_json::array();
  for (const ordered_json& record : records) {
    ordered_json row;
    for (const char* key :
         {"by", "began", "ended", "workers", "memory_limit_bytes", "cpu_seconds", "peak_memory_bytes"})
      if (record.contains(key)) row[key] = record[key];
    for (const char* key : {"began", "ended"}) row[key] = utc(record.value(key, 0.0));
    row["seconds"] = record.value("ended", 0.0) - record.value("began", 0.0);
    row["host"] = record["machine"].value("host", "");
    row["phases"] = ordered_json::object();
    const ordered_json phases = in_order(record.value("phases", ordered_json::object()), kPhases);
    for (const auto& [name, phase] : phases.items()) row["phases"][name] = phase.value("seconds", 0.0);
    all.push_back(std::move(row));
  }
  document["machine"] = records.back().value("machine", ordered_json::object());
  document["file_systems"] = records.back().value("file_systems", ordered_json::object());
}

/// The last record that knows them: whoever finishes has opened the volume.
void add_tiles(ordered_json& document, const std::vector<ordered_json>& records) {
  ordered_json tiles = ordered_json::array();
  for (const ordered_json& record : records)
    if (!record.value("tiles", ordered_json::array()).empty()) tiles = record["tiles"];
  std::int64_t frames = 0, bytes = 0;
  for (const ordered_json& tile : tiles) {
    frames += tile.value("frames", std::int64_t{0});
    bytes += tile.value("camera_bytes", std::int64_t{0});
  }
  document["camera"] = {{"tiles", tiles.size()}, {"frames", frames}, {"bytes", bytes}};
  document["tiles"] = std::move(tiles);
}

/// Each note once; of files that are inputs of this run.
void add_notes(ordered_json& document, const std::vector<ordered_json>& records) {
  ordered_json clipped{{"below", 0}, {"above", 0}, {"samples", 0}};
  std::vector<ordered_json> warnings, gaps;
  const auto keep = [](std::vector<ordered_json>& all, const ordered_json& one) {
    if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  };
  std::set<std::string> files;
  for (const ordered_json& tile : document["tiles"]) files.insert(tile.value("file", ""));
  for (const ordered_json& record : records) {
    add_numbers(clipped, record.value("clipped", ordered_json::object()));
    for (const ordered_json& text : record.value("warnings", ordered_json::array())) keep(warnings, text);
    for (const ordered_json& gap : record.value("dropped_frames", ordered_json::array()))
      if (files.contains(gap.value("file", ""))) keep(gaps, gap);
  }
  document["clipped"] = std::move(clipped);
  document["dropped_frames"] = gaps;
  document["warnings"] = warnings;
}

/// What the tasks say of frames that could not be read.
void add_bad_frames(ordered_json& document, const RunFolder& folder) {
  if (const auto text = folder.document("bad-frames.json")) {
    document["bad_frames"] = ordered_json::parse(*text);
    return;
  }
  std::vector<ordered_json> all;
  for (const ordered_json& task : document["tasks"]) {
    const ordered_json notes = task.value("notes", ordered_json::object());
    const ordered_json rows = ordered_json::parse(notes.value("bad_frames", "[]"), nullptr, false);
    if (!rows.is_array()) continue;
    for (const ordered_json& row : rows)
      if (std::ranges::find(all, row) == all.end()) all.push_back(row);
  }
  document["bad_frames"] = all;
}

/// The file that the tiles were placed by, or that was made and not used.
std::string alignment_file(const ordered_json& document, const std::string& used) {
  if (!used.empty()) return used;
  for (const ordered_json& task : document["tasks"]) {
    if (task.value("task", "") != "alignment") continue;
    for (const ordered_json& file : task["files"])
      if (file[0].get<std::string>().ends_with(".json")) return file[0];
  }
  return "";
}

/// Stage positions as exact as the names of tiles.
std::array<std::int64_t, 3> key_of(const ordered_json& stage_um) {
  std::array<std::int64_t, 3> key{};
  for (std::size_t i = 0; i < 3; ++i) key[i] = std::llround(stage_um.at(i).get<double>() * 10);
  return key;
}

/// What the alignment says of each tile of the volume, and of pairs of them by their numbers.
void add_links(ordered_json& document, const ordered_json& found) {
  std::map<std::array<std::int64_t, 3>, std::size_t> numbers;
  for (const ordered_json& tile : document["tiles"]) {
    const std::size_t next = numbers.size();
    numbers[key_of(tile["stage_um"])] = next;
  }
  ordered_json& links = document["alignment"]["links"] = ordered_json::array();
  for (const ordered_json& link : found.value("links", ordered_json::array())) {
    const auto a = numbers.find(key_of(link["tiles"][0])), b = numbers.find(key_of(link["tiles"][1]));
    if (a == numbers.end() || b == numbers.end()) continue;
    ordered_json row{{"tiles", {a->second, b->second}}};
    for (const char* key :
         {"correlation", "measured", "trusted", "confirmed", "rejected_because", "residual_voxels"})
      row[key] = link[key];
    links.push_back(std::move(row));
  }
  for (const ordered_json& tile : found.value("tiles", ordered_json::array())) {
    const auto number = numbers.find(key_of(tile["stage"]));
    if (number == numbers.end()) continue;
    ordered_json& row = document["tiles"][number->second]["alignment"];
    for (const char* key : {"linked", "shift_voxels", "expected_error_voxels", "remark"})
      row[key] = tile[key];
  }
}

void add_alignment(ordered_json& document) {
  const ordered_json saved = document.value("saved", ordered_json::object());
  const ordered_json options = saved.value("options", ordered_json::object());
  const std::string used = options.contains("alignment") ? options["alignment"].get<std::string>() : "";
  std::string file = alignment_file(document, used);
  if (!file.empty()) file = fs::absolute(file).lexically_normal().string();
  ordered_json& alignment = document["alignment"] = {{"used", !used.empty()}, {"file", file}};
  if (file.empty()) return;
  const std::string page = fs::path(file).replace_extension(".html").string();
  std::error_code error;
  if (fs::exists(page, error)) alignment["page"] = page;
  std::ifstream stream(file, std::ios::binary);
  const ordered_json found = ordered_json::parse(stream, nullptr, false);
  if (!found.is_object() || !found.contains("spimstitch")) return;
  const ordered_json& ours = found["spimstitch"];
  for (const char* key : {"verdict", "findings", "residual_rms_voxels", "residual_worst_voxels"})
    if (ours.contains(key)) alignment[key] = ours[key];
  if (document.contains("tiles")) add_links(document, ours);
}

void add_result(ordered_json& document, const std::vector<ordered_json>& records) {
  ordered_json result;
  for (const ordered_json& record : records)
    if (record.contains("volume")) result = record["volume"];
  if (!result.is_object()) return;
  const auto raw = document["camera"].value("bytes", std::int64_t{0});
  const auto stored = document["output"].value("bytes", std::int64_t{0});
  result["camera_bytes"] = raw;
  result["stored_bytes"] = stored;
  result["ratio"] = stored > 0 ? static_cast<double>(raw) / static_cast<double>(stored) : 0;
  document["result"] = std::move(result);
}

}  // namespace

void add_run_facts(ordered_json& document, const RunFolder& folder) try {
  const std::vector<ordered_json> records = records_of(folder);
  if (!records.empty()) {
    add_times(document, records);
    add_processes(document, records);
    add_tiles(document, records);
    add_notes(document, records);
    add_result(document, records);
  }
  add_bad_frames(document, folder);
  add_alignment(document);
} catch (const ordered_json::exception&) {
  // What somebody else wrote is not worth losing the checksums for, which are in the document already.
}

}  // namespace spim::cli
