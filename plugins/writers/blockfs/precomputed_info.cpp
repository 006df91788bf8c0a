#include "precomputed_info.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/json_fields.hpp"
#include "spim/error.hpp"

namespace spim::blockfs {

namespace {

constexpr double kNanometresPerMicrometre = 1000;
constexpr char kOriginKey[] = "origin_um";

nlohmann::json triple(Index3 v) {
  return {v.x, v.y, v.z};
}

/// The member `key` as three finite numbers.
Vec3 read_vector(const chunked::JsonFields& fields, const char* key) {
  const auto& array = fields.array(key);
  double v[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (array.size() != 3 || !array[i].is_number() || !std::isfinite(array[i].get<double>()))
      fields.fail(key, "an array of three numbers");
    v[i] = array[i].get<double>();
  }
  return {v[0], v[1], v[2]};
}

constexpr Vec3 times(Vec3 a, Vec3 b) noexcept {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
}
constexpr Vec3 scaled(Vec3 a, double f) noexcept {
  return times(a, {f, f, f});
}

}  // namespace

std::string level_key(std::int32_t level) {
  const std::int64_t factor = std::int64_t{1} << level;
  return fmt::format("{0}_{0}_{0}", factor);
}

std::string encode_info(const VolumeSpec& spec) {
  nlohmann::json scales = nlohmann::json::array();
  for (std::int32_t level = 0; level < spec.levels; ++level) {
    const Vec3 nm = scaled(spec.voxel_um, kNanometresPerMicrometre * std::ldexp(1.0, level));
    scales.push_back({{"chunk_sizes", nlohmann::json::array({triple(spec.chunk)})},
                      {"encoding", "raw"},
                      {"key", level_key(level)},
                      {"resolution", {nm.x, nm.y, nm.z}},
                      {"size", triple(level_shape(spec.shape, level))},
                      {"voxel_offset", {0, 0, 0}}});
  }
  const nlohmann::json info{{"@type", "neuroglancer_multiscale_volume"},
                            {"data_type", spec.type == PixelType::u8 ? "uint8" : "uint16"},
                            {"num_channels", 1},
                            {"type", "image"},
                            {"scales", scales},
                            {kOriginKey, {spec.origin_um.x, spec.origin_um.y, spec.origin_um.z}}};
  return info.dump(2) + "\n";
}

std::vector<ScaleInfo> parse_info(std::string_view text, const std::string& subject) {
  const auto document = chunked::parse_json_object(text, subject);
  const chunked::JsonFields info(document, subject);
  const Vec3 origin = info.has(kOriginKey) ? read_vector(info, kOriginKey) : Vec3{};
  std::vector<ScaleInfo> scales;
  for (const auto& entry : info.array("scales")) {
    const chunked::JsonFields scale(entry, subject);
    const Vec3 voxel = scaled(read_vector(scale, "resolution"), 1 / kNanometresPerMicrometre);
    if (voxel.x <= 0 || voxel.y <= 0 || voxel.z <= 0) scale.fail("resolution", "three lengths above 0");
    const Vec3 offset = scale.has("voxel_offset") ? read_vector(scale, "voxel_offset") : Vec3{};
    // Offsets are of the corner of a voxel: relative to the centre of the first voxel of the finest scale,
    // that of a coarser one lies half the difference of the two further in.
    const Vec3 finest = scales.empty() ? voxel : scales.front().voxel_um;
    scales.push_back({scale.text("key"), voxel, origin + times(offset, voxel) + scaled(voxel - finest, 0.5)});
  }
  return scales;
}

}  // namespace spim::blockfs
