// Reading what an alignment wrote, ours or the original programs'.
#include "spim/host/alignment_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <vector>

#include "spim/error.hpp"
#include "words.hpp"

namespace spim {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{512} << 20;
constexpr std::size_t kDeepest = 32;

/// A list of two or three finite numbers.
std::vector<double> numbers(const json& list) {
  if (!list.is_array() || list.size() < 2 || list.size() > 3) throw Error("is not a list [x,y] or [x,y,z]");
  std::vector<double> result;
  for (const json& item : list) {
    if (!item.is_number()) throw Error("holds something that is not a number");
    result.push_back(item.get<double>());
    if (!(std::abs(result.back()) <= 1e9)) throw Error("holds a number that is no position in micrometres");
  }
  return result;
}

Vec3 triple(const json& list) {
  const std::vector<double> v = numbers(list);
  if (v.size() != 3) throw Error("is not a list [x,y,z]");
  return {v[0], v[1], v[2]};
}

std::int64_t tenths(double um) {
  return std::llround(um * 10);
}

/// JSON without surprises: the parser takes the last of equal keys without a word, and takes any depth.
json parse(const std::string& text) {
  std::vector<std::set<std::string>> keys;
  std::size_t depth = 0;
  return json::parse(text, [&](int, json::parse_event_t event, json& value) {
    using Event = json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start)
      if (++depth > kDeepest) throw Error(fmt::format("is nested deeper than {} levels", kDeepest));
    if (event == Event::object_end || event == Event::array_end) --depth;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
      throw Error(fmt::format("has the key '{}' twice", printable(value.get<std::string>())));
    return true;
  });
}

std::string content_of(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed))
    throw Error(fmt::format("{}: {}; check the path of the alignment file", path.string(),
                            fs::exists(path, failed) ? "is not a file" : "does not exist"));
  if (const auto size = fs::file_size(path); size > kMostBytes)
    throw Error(fmt::format("{}: has {} bytes, the limit of an alignment file is {}", path.string(), size,
                            kMostBytes));
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw Error(fmt::format("{}: cannot be read; check its permissions", path.string()));
  return text;
}

}  // namespace

AlignmentFile::AlignmentFile(const fs::path& path) {
  const std::string text = content_of(path);
  std::string where = "the file";
  try {
    const json root = parse(text);
    if (!root.is_object() || !root.contains("alignments") || !root["alignments"].is_object())
      throw Error("has no object \"alignments\"; was it written by an alignment?");
    where = "align-z";
    if (root.contains("align-z")) aligns_xz_ = root["align-z"].get<bool>();
    where = "spimstitch";
    if (const auto ours = root.find("spimstitch"); ours != root.end()) {
      verdict_ = ours->value("verdict", "");
      origin_um_ = triple(ours->at("origin"));
      // The original programs kept other numbers under this name too, and did not scale positions.
      where = "voxel_sizes";
      const Vec3 um = triple(root.at("voxel_sizes"));
      if (!(um.x > 0 && um.y > 0 && um.z > 0)) throw Error("holds a size that is not above 0");
      voxel_um_ = um;
    }
    for (const auto& [key, value] : root["alignments"].items()) {
      where = fmt::format("the alignment \"{}\"", printable(key));
      add(numbers(parse(key)), numbers(value));
    }
  } catch (const json::exception& error) {
    throw Error(fmt::format("{}: {} cannot be read: {}", path.string(), where, printable(error.what())));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {} {}", path.string(), where, error.what()));
  }
}

void AlignmentFile::add(const std::vector<double>& from, const std::vector<double>& to) {
  const Vec3 position{to[0], to[1], to.size() > 2 ? to[2] : std::nan("")};
  const bool flat = from.size() == 2;
  auto& known = flat ? by_xy_ : by_xyz_;
  if (!known.emplace(Key{tenths(from[0]), tenths(from[1]), flat ? 0 : tenths(from[2])}, position).second)
    throw Error("is there twice");
}

std::vector<std::pair<Vec3, Vec3>> AlignmentFile::positions() const {
  std::vector<std::pair<Vec3, Vec3>> all;
  for (const auto& known : {by_xyz_, by_xy_})
    for (const auto& [key, position] : known) {
      const Vec3 stage{static_cast<double>(key[0]) / 10, static_cast<double>(key[1]) / 10,
                       static_cast<double>(key[2]) / 10};
      all.emplace_back(stage, position);
      if (std::isnan(position.z)) all.back().second.z = stage.z;
    }
  return all;
}

std::optional<Vec3> AlignmentFile::find(Vec3 stage_um) const {
  auto found = by_xyz_.find({tenths(stage_um.x), tenths(stage_um.y), tenths(stage_um.z)});
  if (found == by_xyz_.end()) {
    found = by_xy_.find({tenths(stage_um.x), tenths(stage_um.y), 0});
    if (found == by_xy_.end()) return std::nullopt;
  }
  Vec3 position = found->second;
  if (std::isnan(position.z)) position.z = stage_um.z;
  return position;
}

}  // namespace spim
