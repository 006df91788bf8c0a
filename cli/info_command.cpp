/// info: what a camera file or a volume is.

#include <fmt/format.h>
#include <glob.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "frame_gaps.hpp"
#include "pixel_sample.hpp"
#include "plugin_choice.hpp"
#include "recognition.hpp"
#include "session.hpp"
#include "spim/host/instances.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

/// Keeps what a reader says of its file.
class JsonLines final : public MetadataSink {
 public:
  void text(std::string_view key, std::string_view value) override { lines[std::string(key)] = value; }
  void integer(std::string_view key, std::int64_t value) override { lines[std::string(key)] = value; }
  void number(std::string_view key, double value) override { lines[std::string(key)] = value; }

  Json lines = Json::object();
};

Json triple(Index3 v) {
  return Json::array({v.x, v.y, v.z});
}

Json triple(Vec3 v) {
  return Json::array({v.x, v.y, v.z});
}

const char* type_word(PixelType type) {
  return type == PixelType::u8 ? "uint8" : "uint16";
}

/// Bytes on disk of the files that a pattern matches.
std::int64_t matched_bytes(const fs::path& pattern) {
  glob_t found{};
  std::int64_t bytes = 0;
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      std::error_code error;
      const auto size = fs::file_size(found.gl_pathv[i], error);
      if (!error) bytes += static_cast<std::int64_t>(size);
    }
  ::globfree(&found);
  return bytes;
}

/// Bytes on disk of a file, of everything in a folder, or of a stack given by a pattern.
std::int64_t stored_bytes(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return matched_bytes(path);
  if (!fs::is_directory(path, error)) return static_cast<std::int64_t>(fs::file_size(path));
  std::int64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) bytes += static_cast<std::int64_t>(entry.file_size());
  return bytes;
}

Json describe_sample(const Histogram& histogram) {
  Json sample;
  sample["samples"] = histogram.count();
  sample["min"] = histogram.minimum();
  sample["max"] = histogram.maximum();
  sample["mean"] = histogram.mean();
  sample["zero fraction"] =
      histogram.count() > 0 ? static_cast<double>(histogram.zeros()) / static_cast<double>(histogram.count())
                            : 0;
  return sample;
}

/// "2020-09-13 12:26:40.250 UTC".
std::string time_text(std::int64_t microseconds) {
  std::int64_t seconds = microseconds / 1'000'000;
  std::int64_t rest = microseconds % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  const std::time_t time = seconds;
  std::tm parts{};
  if (gmtime_r(&time, &parts) == nullptr) return "unknown";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03} UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, rest / 1000);
}

Json describe_frames(FrameReader& reader) {
  const StackInfo info = reader.info();
  Json report;
  report["kind"] = "camera file";
  report["frames"] = info.frames;
  if (info.declared > info.frames) report["declared frames"] = info.declared;
  report["rows"] = info.rows;
  report["columns"] = info.columns;
  report["type"] = type_word(info.type);
  if (info.frames > 0) {
    const FrameStamp first = reader.stamp(0);
    const FrameStamp last = reader.stamp(info.frames - 1);
    if (first.has_time) report["first frame at"] = time_text(first.microseconds);
    if (last.has_time) report["last frame at"] = time_text(last.microseconds);
    if (first.has_time && last.has_time && last.microseconds > first.microseconds)
      report["frames per second"] = static_cast<double>(info.frames - 1) * 1e6 /
                                    static_cast<double>(last.microseconds - first.microseconds);
    if (first.has_counter) {
      report["gaps"] = Json::array();
      for (const FrameGap& gap : frame_gaps(reader))
        report["gaps"].push_back({{"frame", gap.frame}, {"dropped", gap.dropped}});
    }
    report["sample"] = describe_sample(sample_frames(reader));
  }
  JsonLines details;
  reader.describe(details);
  report["details"] = details.lines;
  return report;
}

Json describe_volume(VolumeReader& reader, std::int64_t stored) {
  const VolumeInfo info = reader.info();
  Json report;
  report["kind"] = "volume";
  report["type"] = type_word(info.type);
  double raw = 0;
  report["levels"] = Json::array();
  for (std::int32_t l = 0; l < info.levels; ++l) {
    const LevelInfo level = reader.level(l);
    report["levels"].push_back({{"shape", triple(level.shape)},
                                {"chunk", triple(level.chunk)},
                                {"voxel um", triple(level.voxel_um)},
                                {"origin um", triple(level.origin_um)}});
    raw += static_cast<double>(count(level.shape)) * static_cast<double>(bytes_of(info.type));
  }
  if (stored > 0) report["compression ratio"] = raw / static_cast<double>(stored);
  report["sample"] = describe_sample(sample_chunks(reader));
  JsonLines details;
  reader.describe(details);
  report["details"] = details.lines;
  return report;
}

/// Numbers with at most six digits behind what matters; texts without quotes.
std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const Json& item : value) text += (text.empty() ? "" : ", ") + plain(item);
  return text.empty() ? "none" : text;
}

void print_lines(const Json& report, const std::string& indent) {
  for (const auto& [key, value] : report.items()) {
    const bool list = value.is_array() && !value.empty() && value.front().is_object();
    if (value.is_object() ? value.empty() : false) continue;
    if (!value.is_object() && !list) {
      fmt::print("{}{}: {}\n", indent, key, plain(value));
      continue;
    }
    fmt::print("{}{}:\n", indent, key);
    if (value.is_object()) print_lines(value, indent + "  ");
    for (std::size_t i = 0; list && i < value.size(); ++i) {
      std::string row;
      for (const auto& [name, item] : value[i].items())
        row += fmt::format("{}{} {}", row.empty() ? "" : "; ", name, plain(item));
      fmt::print("{}  {}: {}\n", indent, i, row);
    }
  }
}

}  // namespace

int run_info(const Invocation& call) {
  CommonOptions common;
  std::vector<std::string> paths;
  PluginChoice plugins;
  bool as_json = false;
  CommandLine line(
      call.program, "PATH [options]",
      "Says what a camera file or a volume is: sizes, chunks, compression, levels, gaps, grey levels of "
      "a sample, and what the file says of itself. Triples are x, y, z.");
  line.arguments({"PATH", "", "camera file, or root of a volume"}, paths, {1, 1});
  line.group("Output");
  line.flag({"json", "", "print JSON"}, as_json);
  plugins.add_reader(line);
  plugins.add_general(line);
  add_general_options(line, common);
  if (!line.parse(call.arguments)) return kDone;

  Session session(common, *call.cancel);
  const fs::path path = paths.front();
  plugins.resolve(session, {Kind::frame_reader, Kind::volume_reader});
  const Kind kind = recognise(session.registry(), path, plugins.get());
  const Selection& choice = plugins.get().of(kind);
  Json report;
  report["path"] = path.string();
  const std::int64_t stored = stored_bytes(path);
  report["stored bytes"] = stored;
  if (kind == Kind::volume_reader)
    report.update(describe_volume(*open_volume(session.registry(), session.host(), choice, path), stored));
  else
    report.update(describe_frames(*open_frames(session.registry(), session.host(), choice, path)));
  if (as_json)
    fmt::print("{}\n", report.dump(2, ' ', false, Json::error_handler_t::replace));
  else
    print_lines(report, "");
  return kDone;
}

}  // namespace spim::cli
