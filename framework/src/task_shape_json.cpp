#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "plausible.hpp"
#include "spim/error.hpp"
#include "spim/host/run_plan.hpp"

namespace spim {

using nlohmann::ordered_json;

namespace {

ordered_json triple(Index3 v) {
  return {v.x, v.y, v.z};
}
ordered_json triple(Vec3 v) {
  return {v.x, v.y, v.z};
}
Index3 index3(const ordered_json& v) {
  return {v.at(0).get<std::int64_t>(), v.at(1).get<std::int64_t>(), v.at(2).get<std::int64_t>()};
}
Vec3 vec3(const ordered_json& v) {
  return {v.at(0).get<double>(), v.at(1).get<double>(), v.at(2).get<double>()};
}

}  // namespace

std::string task_shape_text(const TaskShape& shape) {
  const VolumeSpec& spec = shape.spec;
  const ValidRegion& region = shape.region;
  ordered_json document;
  document["shape"] = triple(spec.shape);
  document["chunk"] = triple(spec.chunk);
  document["unit"] = triple(shape.unit);
  document["levels"] = spec.levels;
  document["bits"] = 8 * bytes_of(spec.type);
  document["voxel_um"] = triple(spec.voxel_um);
  document["origin_um"] = triple(spec.origin_um);
  document["shear"] = region.shear;
  document["x_offset"] = region.x_offset;
  document["frames"] = region.frames;
  document["direction"] = region.direction;
  document["band"] = {shape.band_y, shape.band_z};
  document["cuts"] = shape.cuts;
  return document.dump() + "\n";
}

TaskShape parse_task_shape(const std::string& text, const std::string& source) try {
  const ordered_json document = ordered_json::parse(text);
  TaskShape shape;
  VolumeSpec& spec = shape.spec;
  spec.shape = index3(document.at("shape"));
  spec.chunk = index3(document.at("chunk"));
  shape.unit = index3(document.at("unit"));
  spec.levels = document.at("levels").get<std::int32_t>();
  spec.type = document.at("bits").get<int>() == 8 ? PixelType::u8 : PixelType::u16;
  spec.voxel_um = vec3(document.at("voxel_um"));
  spec.origin_um = vec3(document.at("origin_um"));
  shape.region.shape = spec.shape;
  shape.region.shear = document.at("shear").get<double>();
  shape.region.x_offset = document.at("x_offset").get<double>();
  shape.region.frames = document.at("frames").get<std::int64_t>();
  shape.region.direction = document.at("direction").get<int>();
  shape.band_y = document.at("band").at(0).get<std::int64_t>();
  shape.band_z = document.at("band").at(1).get<std::int64_t>();
  shape.cuts = document.at("cuts").get<std::vector<std::vector<std::int64_t>>>();
  std::string fault = spec_fault(spec);
  if (fault.empty()) fault = chunk_fault(spec.chunk);
  if (fault.empty()) fault = chunk_fault(shape.unit);
  if (!fault.empty())
    throw Error(fmt::format("{} is damaged: it {}; use --overwrite to begin again", source, fault));
  return shape;
} catch (const ordered_json::exception& error) {
  throw Error(fmt::format("{} is damaged: {}; use --overwrite to begin again", source, error.what()));
}

}  // namespace spim
