#include "common/precomputed_info.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "common/chunk_grid.hpp"
#include "common/json_fields.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

namespace {

using nlohmann::json;

constexpr double kNanometresPerMicrometre = 1000;
constexpr std::int64_t kMostChannels = 1024;
constexpr char kOriginKey[] = "origin_um";
constexpr char kVolumeType[] = "neuroglancer_multiscale_volume";
constexpr char kShardingType[] = "neuroglancer_uint64_sharded_v1";
constexpr char kMurmur[] = "murmurhash3_x86_128";
constexpr std::size_t kMostScales = 64;

json triple(Index3 v) {
  return {v.x, v.y, v.z};
}
json triple(Vec3 v) {
  return {v.x, v.y, v.z};
}

constexpr Vec3 scaled(Vec3 a, double f) noexcept {
  return {a.x * f, a.y * f, a.z * f};
}

/// The member `key` as three finite numbers.
Vec3 read_vector(const JsonFields& fields, const char* key) {
  const auto& array = fields.array(key);
  double v[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (array.size() != 3 || !array[i].is_number() || !std::isfinite(array[i].get<double>()))
      fields.fail(key, "an array of three numbers");
    v[i] = array[i].get<double>();
  }
  return {v[0], v[1], v[2]};
}

/// `value` as three extents; `key` names it.
Index3 read_extents(const JsonFields& fields, const char* key, const json& value) {
  std::int64_t v[3] = {};
  for (std::size_t i = 0; i < 3; ++i)
    if (!value.is_array() || value.size() != 3 || !get_integer(value[i], 1, kLargestExtent, v[i]))
      fields.fail(key, fmt::format("three integers from 1 to {}", kLargestExtent));
  return {v[0], v[1], v[2]};
}

Index3 read_offset(const JsonFields& scale) {
  const Vec3 v = read_vector(scale, "voxel_offset");
  for (const double component : {v.x, v.y, v.z})
    if (component != std::floor(component) || std::abs(component) > static_cast<double>(kLargestExtent))
      scale.fail("voxel_offset", "three whole numbers of voxels");
  return {static_cast<std::int64_t>(v.x), static_cast<std::int64_t>(v.y), static_cast<std::int64_t>(v.z)};
}

std::string read_key(const JsonFields& scale) {
  const std::string& text = scale.text("key");
  const std::filesystem::path path(text);
  bool inside = !text.empty() && path.is_relative() && text.find('\0') == std::string::npos;
  for (const auto& part : path) inside = inside && part != "..";
  if (!inside) scale.fail("key", "a path inside the volume's folder");
  return text;
}

ShardEncoding read_encoding(const JsonFields& sharding, const char* key) {
  const std::string& word = sharding.text(key);
  if (word != "raw" && word != "gzip") sharding.fail(key, "\"raw\" or \"gzip\"");
  return word == "gzip" ? ShardEncoding::gzip : ShardEncoding::raw;
}

PrecomputedSharding read_sharding(const json& object, const std::string& subject) {
  const JsonFields fields(object, subject);
  if (fields.text("@type") != kShardingType) fields.fail("@type", fmt::format("\"{}\"", kShardingType));
  PrecomputedSharding sharding;
  const auto bits = [&](const char* key, int most) { return static_cast<int>(fields.integer(key, 0, most)); };
  sharding.preshift_bits = bits("preshift_bits", 63);
  sharding.minishard_bits = bits("minishard_bits", 32);
  sharding.shard_bits = bits("shard_bits", 64 - sharding.minishard_bits);
  const std::string& hash = fields.text("hash");
  if (hash != "identity" && hash != kMurmur)
    fields.fail("hash", fmt::format("\"identity\" or \"{}\"", kMurmur));
  sharding.hash = hash == kMurmur ? ShardHash::murmurhash3_x86_128 : ShardHash::identity;
  sharding.index_encoding = read_encoding(fields, "minishard_index_encoding");
  sharding.data_encoding = read_encoding(fields, "data_encoding");
  return sharding;
}

const char* word_of(ShardEncoding encoding) {
  return encoding == ShardEncoding::gzip ? "gzip" : "raw";
}

json sharding_of(const PrecomputedSharding& sharding) {
  return {{"@type", kShardingType},
          {"preshift_bits", sharding.preshift_bits},
          {"hash", sharding.hash == ShardHash::identity ? "identity" : kMurmur},
          {"minishard_bits", sharding.minishard_bits},
          {"shard_bits", sharding.shard_bits},
          {"minishard_index_encoding", word_of(sharding.index_encoding)},
          {"data_encoding", word_of(sharding.data_encoding)}};
}

/// Size, chunks, encoding and shards of a scale.
void read_contents(const JsonFields& scale, const PrecomputedInfo& info, const std::string& subject,
                   PrecomputedScale& out) {
  if (scale.text("encoding") != "raw") scale.fail("encoding", "\"raw\"");
  out.size = read_extents(scale, "size", scale.member("size"));
  const auto& chunks = scale.array("chunk_sizes");
  if (chunks.empty()) scale.fail("chunk_sizes", "at least one chunk size");
  out.chunk = read_extents(scale, "chunk_sizes", chunks.front());
  check_grid({out.size, out.chunk}, bytes_of(info.type) * info.channels, subject);
  if (scale.has("sharding")) out.sharding = read_sharding(scale.member("sharding"), subject);
}

void read_types(const JsonFields& info, PrecomputedInfo& out) {
  if (info.has("@type") && info.text("@type") != kVolumeType)
    info.fail("@type", fmt::format("\"{}\"", kVolumeType));
  const std::string& type = info.text("data_type");
  if (type != "uint8" && type != "uint16") info.fail("data_type", "\"uint8\" or \"uint16\"");
  out.type = type == "uint8" ? PixelType::u8 : PixelType::u16;
  out.channels = info.integer("num_channels", 1, kMostChannels);
}

}  // namespace

std::string level_key(std::int32_t level) {
  const std::int64_t factor = std::int64_t{1} << level;
  return fmt::format("{0}_{0}_{0}", factor);
}

PrecomputedInfo info_of(const VolumeSpec& spec) {
  PrecomputedInfo info;
  info.type = spec.type;
  info.origin_um = spec.origin_um;
  for (std::int32_t level = 0; level < spec.levels; ++level)
    info.scales.push_back({level_key(level),
                           scaled(spec.voxel_um, std::ldexp(1.0, level)),
                           {},
                           level_shape(spec.shape, level),
                           spec.chunk,
                           std::nullopt});
  return info;
}

std::string encode_info(const PrecomputedInfo& info) {
  json scales = json::array();
  for (const PrecomputedScale& scale : info.scales) {
    json entry{{"chunk_sizes", json::array({triple(scale.chunk)})},
               {"encoding", "raw"},
               {"key", scale.key},
               {"resolution", triple(scaled(scale.voxel_um, kNanometresPerMicrometre))},
               {"size", triple(scale.size)},
               {"voxel_offset", triple(scale.voxel_offset)}};
    if (scale.sharding) entry["sharding"] = sharding_of(*scale.sharding);
    scales.push_back(std::move(entry));
  }
  json document{{"@type", kVolumeType},
                {"data_type", info.type == PixelType::u8 ? "uint8" : "uint16"},
                {"num_channels", info.channels},
                {"type", "image"},
                {"scales", scales}};
  if (info.origin_um) document[kOriginKey] = triple(*info.origin_um);
  return document.dump(2) + "\n";
}

PrecomputedInfo parse_info(std::string_view text, InfoPart part, const std::string& subject) {
  const auto document = parse_json_object(text, subject);
  const JsonFields fields(document, subject);
  PrecomputedInfo info;
  if (fields.has(kOriginKey)) info.origin_um = read_vector(fields, kOriginKey);
  if (part == InfoPart::everything) read_types(fields, info);
  const auto& scales = fields.array("scales");
  if (part == InfoPart::everything && (scales.empty() || scales.size() > kMostScales))
    throw Error(fmt::format("{} has {} scales; 1 to {} are expected", subject, scales.size(), kMostScales));
  for (const auto& entry : scales) {
    const JsonFields scale(entry, subject);
    PrecomputedScale out;
    out.key = read_key(scale);
    out.voxel_um = scaled(read_vector(scale, "resolution"), 1 / kNanometresPerMicrometre);
    if (out.voxel_um.x <= 0 || out.voxel_um.y <= 0 || out.voxel_um.z <= 0)
      scale.fail("resolution", "three lengths above 0");
    if (scale.has("voxel_offset")) out.voxel_offset = read_offset(scale);
    if (part == InfoPart::everything) read_contents(scale, info, subject, out);
    info.scales.push_back(std::move(out));
  }
  return info;
}

}  // namespace spim::chunked
