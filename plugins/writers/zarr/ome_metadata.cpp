#include "ome_metadata.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <utility>

#include "common/json_fields.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace {

using nlohmann::json;

constexpr std::size_t kMostLevels = 64;

/// A scale followed by a translation, per axis, in the order of the axes.
struct Transform {
  std::vector<double> scale, translation;
};

json transforms_of(const VolumeSpec& spec, std::int32_t level) {
  const double factor = std::ldexp(1.0, level);
  const auto centre = [&](double origin, double voxel) { return origin + (factor - 1) / 2 * voxel; };
  const Vec3 v = spec.voxel_um, o = spec.origin_um;
  return {{{"type", "scale"}, {"scale", {1.0, 1.0, factor * v.z, factor * v.y, factor * v.x}}},
          {{"type", "translation"},
           {"translation", {0.0, 0.0, centre(o.z, v.z), centre(o.y, v.y), centre(o.x, v.x)}}}};
}

json omero_of(OmeVersion version, const VolumeSpec& spec, const std::string& name,
              std::span<const ChannelLook> looks) {
  json channels = json::array();
  for (const ChannelLook& look : looks)
    channels.push_back({{"active", true},
                        {"coefficient", 1.0},
                        {"color", look.color},
                        {"family", "linear"},
                        {"inverted", false},
                        {"label", look.label},
                        {"window",
                         {{"min", 0},
                          {"max", spec.type == PixelType::u8 ? 255 : 65535},
                          {"start", look.window.start},
                          {"end", look.window.end}}}});
  const char* model = looks.size() > 1 ? "color" : "greyscale";
  json omero{{"name", name},
             {"channels", channels},
             {"rdefs", {{"defaultT", 0}, {"defaultZ", spec.shape.z / 2}, {"model", model}}}};
  if (version == OmeVersion::v04) omero["version"] = "0.4";
  return omero;
}

/// Micrometres per `unit`; 0 for what is no length that we know. Missing means micrometres: the files of
/// several programs say nothing and mean them.
double micrometres_per(const std::string& unit) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {{"", 1},
                                                                   {"micrometer", 1},
                                                                   {"um", 1},
                                                                   {"\u00b5m", 1},
                                                                   {"micron", 1},
                                                                   {"nanometer", 1e-3},
                                                                   {"angstrom", 1e-4},
                                                                   {"millimeter", 1e3},
                                                                   {"centimeter", 1e4},
                                                                   {"meter", 1e6}};
  for (const auto& [name, factor] : kUnits)
    if (unit == name) return factor;
  return 0;
}

std::vector<double> read_numbers(const chunked::JsonFields& fields, const char* key, std::size_t axes) {
  std::vector<double> numbers;
  for (const auto& value : fields.array(key))
    if (value.is_number() && std::isfinite(value.get<double>())) numbers.push_back(value.get<double>());
  if (numbers.size() != axes || fields.array(key).size() != axes)
    fields.fail(key, fmt::format("an array of {} numbers", axes));
  return numbers;
}

/// Applies the list `coordinateTransformations` of `object`, if it has one, after what `transform` does.
void apply_transforms(const chunked::JsonFields& object, const std::string& subject, Transform& transform) {
  constexpr const char* kKey = "coordinateTransformations";
  if (!object.has(kKey)) return;
  const std::size_t axes = transform.scale.size();
  for (const auto& entry : object.array(kKey)) {
    const chunked::JsonFields step(entry, subject);
    const std::string& type = step.text("type");
    if (type == "scale") {
      const auto factors = read_numbers(step, "scale", axes);
      for (std::size_t i = 0; i < axes; ++i) {
        if (factors[i] <= 0) step.fail("scale", "factors above 0");
        transform.scale[i] *= factors[i];
        transform.translation[i] *= factors[i];
      }
    } else if (type == "translation") {
      const auto shifts = read_numbers(step, "translation", axes);
      for (std::size_t i = 0; i < axes; ++i) transform.translation[i] += shifts[i];
    } else if (type != "identity") {
      step.fail("type", "\"scale\", \"translation\" or \"identity\"");
    }
  }
}

/// Reads names and micrometres per unit of the axes; version 0.3 has only names, older ones nothing.
void read_axes(const chunked::JsonFields& image, const std::string& subject, OmeImage& out,
               std::vector<double>& um) {
  if (!image.has("axes")) {
    um.assign(5, 1);  // always t,c,z,y,x before version 0.3
    return;
  }
  for (const auto& entry : image.array("axes")) {
    std::string unit;
    if (entry.is_string()) {
      out.axes.push_back(entry.get<std::string>());
    } else {
      const chunked::JsonFields axis(entry, subject);
      out.axes.push_back(axis.text("name"));
      if (axis.has("unit")) unit = axis.text("unit");
    }
    um.push_back(micrometres_per(unit));
  }
  const std::size_t n = out.axes.size();
  if (n < 3 || n > 5 || out.axes[n - 3] != "z" || out.axes[n - 2] != "y" || out.axes[n - 1] != "x")
    image.fail("axes", "three to five axes, the last three being z, y, x");
}

std::string read_path(const chunked::JsonFields& dataset) {
  const std::string& text = dataset.text("path");
  const std::filesystem::path path(text);
  bool inside = !text.empty() && path.is_relative() && text.find('\0') == std::string::npos;
  for (const auto& part : path) inside = inside && part != "..";
  if (!inside) dataset.fail("path", "a path inside the group");
  return text;
}

/// The object that holds "multiscales".
const json& attributes_of(const json& document, const std::string& subject) {
  const chunked::JsonFields group(document, subject);
  if (!group.has("zarr_format")) return document;  // .zattrs
  group.integer("zarr_format", 3, 3);
  if (group.text("node_type") != "group") group.fail("node_type", "\"group\"");
  const json& all = group.member("attributes");
  const chunked::JsonFields attributes(all, subject);
  return attributes.has("ome") ? attributes.member("ome") : all;
}

OmeLevel make_level(std::string path, const Transform& transform, const std::vector<double>& um) {
  const std::size_t n = um.size();
  const auto space = [&](const std::vector<double>& v) {
    return Vec3{v[n - 1] * um[n - 1], v[n - 2] * um[n - 2], v[n - 3] * um[n - 3]};
  };
  OmeLevel level{std::move(path), space(transform.scale), space(transform.translation)};
  if (level.voxel_um.x <= 0 || level.voxel_um.y <= 0 || level.voxel_um.z <= 0)
    level.voxel_um = level.origin_um = {};
  return level;
}

}  // namespace

std::string encode_ome(OmeVersion version, const VolumeSpec& spec, const std::string& name,
                       std::span<const ChannelLook> looks) {
  json axes = json::array({{{"name", "t"}, {"type", "time"}}, {{"name", "c"}, {"type", "channel"}}});
  for (const char* axis : {"z", "y", "x"})
    axes.push_back({{"name", axis}, {"type", "space"}, {"unit", "micrometer"}});
  json datasets = json::array();
  for (std::int32_t level = 0; level < spec.levels; ++level)
    datasets.push_back(
        {{"path", fmt::format("{}", level)}, {"coordinateTransformations", transforms_of(spec, level)}});
  json image{{"name", name},
             {"type", "mean"},
             {"metadata",
              {{"method", "mean of the existing voxels of 2x2x2, rounded to nearest"}, {"version", "1"}}},
             {"axes", axes},
             {"datasets", datasets}};
  if (version == OmeVersion::v04) image["version"] = "0.4";
  const json omero = omero_of(version, spec, name, looks);
  json document{{"multiscales", json::array({image})}, {"omero", omero}};
  if (version == OmeVersion::v05) {
    document["version"] = "0.5";
    // Neuroglancer up to 2.41 looks for the channels beside "ome" only; the standard wants them inside.
    const json attributes{{"ome", document}, {"omero", omero}};
    document = {{"zarr_format", 3}, {"node_type", "group"}, {"attributes", attributes}};
  }
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

OmeImage parse_ome(std::string_view text, const std::string& subject) {
  const json document = chunked::parse_json_object(text, subject);
  const chunked::JsonFields attributes(attributes_of(document, subject), subject);
  const json& images = attributes.array("multiscales");
  if (images.empty()) attributes.fail("multiscales", "at least one image");
  const chunked::JsonFields image(images.front(), subject);
  OmeImage out;
  std::vector<double> um;
  read_axes(image, subject, out, um);
  const json& datasets = image.array("datasets");
  if (datasets.empty() || datasets.size() > kMostLevels)
    image.fail("datasets", fmt::format("1 to {} levels", kMostLevels));
  for (const json& entry : datasets) {
    const chunked::JsonFields dataset(entry, subject);
    Transform transform{std::vector<double>(um.size(), 1), std::vector<double>(um.size(), 0)};
    const bool placed = dataset.has("coordinateTransformations") || image.has("coordinateTransformations");
    apply_transforms(dataset, subject, transform);
    apply_transforms(image, subject, transform);
    out.levels.push_back(
        make_level(read_path(dataset), transform, placed ? um : std::vector<double>(um.size(), 0)));
  }
  return out;
}

}  // namespace spim::zarr
