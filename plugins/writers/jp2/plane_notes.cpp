#include "plane_notes.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

#include "spim/error.hpp"

namespace spim::jp2 {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestComment = 65000;
constexpr std::int64_t kSecond = 1'000'000;  // microseconds
/// Four digits of the year; no camera's clock says otherwise.
constexpr std::int64_t kLastTime = 253'402'300'799 * kSecond;
constexpr double kFarthest = 1e12;  // micrometres

/// As ISO 8601 writes it.
std::string time_text(std::int64_t microseconds) {
  const std::int64_t rest = (microseconds % kSecond + kSecond) % kSecond;
  const auto second = static_cast<std::time_t>((microseconds - rest) / kSecond);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(second), rest);
}

/// What time_text() wrote.
std::optional<std::int64_t> time_of(const std::string& text) {
  std::tm parts{};
  int fraction = 0, end = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ%n", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &fraction, &end) != 7 ||
      end != static_cast<int>(text.size()))
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return std::int64_t{::timegm(&parts)} * kSecond + fraction;
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
  if (spec.stamp.has_time && spec.stamp.microseconds >= 0 && spec.stamp.microseconds <= kLastTime)
    notes["time"] = time_text(spec.stamp.microseconds);
  // ASCII, because the field is Latin-1; bytes that are no text become a sign that says so.
  std::string text = notes.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kLongestComment)
    throw Error(fmt::format("the notes on the plane take {} bytes, more than {}; give it a shorter name",
                            text.size(), kLongestComment));
  return text;
}

PlaneNotes notes_of(const std::string& comment) {
  const Json json = Json::parse(comment, nullptr, false);
  if (!json.is_object()) return {};
  PlaneNotes notes{triple(json, "voxel_xyz"), triple(json, "origin_xyz"), {}};
  if (std::min({notes.voxel_um.x, notes.voxel_um.y, notes.voxel_um.z}) < 0) notes.voxel_um = {};
  if (const auto counter = json.find("counter");
      counter != json.end() && counter->is_number_unsigned() && counter->get<std::uint64_t>() <= UINT32_MAX) {
    notes.stamp.has_counter = true;
    notes.stamp.counter = counter->get<std::uint32_t>();
  }
  if (const auto time = json.find("time"); time != json.end() && time->is_string())
    if (const auto microseconds = time_of(time->get_ref<const std::string&>())) {
      notes.stamp.has_time = true;
      notes.stamp.microseconds = *microseconds;
    }
  return notes;
}

}  // namespace spim::jp2
