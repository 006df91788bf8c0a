#include "alignment_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "spim/error.hpp"

namespace spim::cli {

namespace {

using nlohmann::json;

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

std::int64_t tenths(double um) {
  return std::llround(um * 10);
}

}  // namespace

AlignmentFile::AlignmentFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file)
    throw Error(fmt::format("{}: cannot be opened; check the path of the alignment file", path.string()));
  std::string where = "the file";
  try {
    const json root = json::parse(file);
    if (!root.is_object() || !root.contains("alignments") || !root["alignments"].is_object())
      throw Error("has no object \"alignments\"; was it written by an alignment?");
    where = "align-z";
    if (root.contains("align-z")) aligns_xz_ = root["align-z"].get<bool>();
    for (const auto& [key, value] : root["alignments"].items()) {
      where = fmt::format("the alignment \"{}\"", key);
      const std::vector<double> from = numbers(json::parse(key));
      const std::vector<double> to = numbers(value);
      const double nan = std::nan("");
      const Vec3 position{to[0], to[1], to.size() > 2 ? to[2] : nan};
      auto& known = from.size() == 2 ? by_xy_ : by_xyz_;
      if (!known
               .emplace(Key{tenths(from[0]), tenths(from[1]), from.size() == 2 ? 0 : tenths(from[2])},
                        position)
               .second)
        throw Error("is there twice");
    }
  } catch (const json::exception& error) {
    throw Error(fmt::format("{}: {} cannot be read: {}", path.string(), where, error.what()));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {} {}", path.string(), where, error.what()));
  }
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

}  // namespace spim::cli
