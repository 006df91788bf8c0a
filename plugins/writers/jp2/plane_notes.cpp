#include "plane_notes.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "spim/error.hpp"

namespace spim::jp2 {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestComment = 65000;
constexpr double kFarthest = 1e12;  // micrometres

/// As ISO 8601 writes it.
std::string time_text(std::int64_t microseconds) {
  constexpr std::int64_t kSecond = 1'000'000;
  const std::int64_t rest = (microseconds % kSecond + kSecond) % kSecond;
  const auto second = static_cast<std::time_t>((microseconds - rest) / kSecond);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(second), rest);
}

Vec3 triple(const Json& notes, const char* key) {
  const auto found = notes.find(key);
  if (found == notes.end() || !found->is_array() || found->size() != 3) return {};
  double values[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (!(*found)[i].is_number()) return {};
    values[i] = (*found)[i].get<double>();
    if (!(std::abs(values[i]) < kFarthest)) return {};
  }
  return {values[0], values[1], values[2]};
}

}  // namespace

std::string comment_of(const VolumeSpec& spec) {
  Json notes{{"software", "spimstitch"},
             {"unit", "micrometer"},
             {"voxel_xyz", {spec.voxel_um.x, spec.voxel_um.y, spec.voxel_um.z}},
             {"origin_xyz", {spec.origin_um.x, spec.origin_um.y, spec.origin_um.z}}};
  if (*spec.name != '\0') notes["name"] = spec.name;
  if (*spec.source != '\0') notes["source"] = spec.source;
  if (spec.first_frame >= 0) notes["frame"] = spec.first_frame;
  if (spec.stamp.has_counter) notes["counter"] = spec.stamp.counter;
  if (spec.stamp.has_time) notes["time"] = time_text(spec.stamp.microseconds);
  // ASCII, because the field is Latin-1; bytes that are no text become a sign that says so.
  std::string text = notes.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kLongestComment)
    throw Error(fmt::format("the notes on the plane take {} bytes, more than {}; give it a shorter name",
                            text.size(), kLongestComment));
  return text;
}

PlanePlace place_of(const std::string& comment) {
  const Json notes = Json::parse(comment, nullptr, false);
  if (!notes.is_object()) return {};
  PlanePlace place{triple(notes, "voxel_xyz"), triple(notes, "origin_xyz")};
  if (!(place.voxel_um.x > 0 && place.voxel_um.y > 0 && place.voxel_um.z > 0)) return {};
  return place;
}

}  // namespace spim::jp2
