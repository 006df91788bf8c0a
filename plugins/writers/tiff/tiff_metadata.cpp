#include "tiff_metadata.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>
#include <optional>
#include <string_view>

namespace spim::tiff {

namespace {

constexpr std::int64_t kSecond = 1'000'000;
/// 0001-01-01 and 9999-12-31: what four digits of a year can say.
constexpr std::int64_t kEarliest = -62'135'596'800 * kSecond, kLatest = 253'402'300'799 * kSecond;

bool has_time(const FrameStamp& stamp) {
  return stamp.has_time && stamp.microseconds >= kEarliest && stamp.microseconds <= kLatest;
}

struct Moment {
  std::time_t seconds;
  std::int64_t microseconds;
};

Moment moment_of(const FrameStamp& stamp) {
  std::int64_t seconds = stamp.microseconds / kSecond;
  if (stamp.microseconds % kSecond < 0) --seconds;
  return {static_cast<std::time_t>(seconds), stamp.microseconds - seconds * kSecond};
}

std::string iso_time(const FrameStamp& stamp) {
  const Moment moment = moment_of(stamp);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(moment.seconds), moment.microseconds);
}

/// One line, whatever the user put into a name.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return line;
}

/// Text of an XML attribute or element, in ASCII: everything else as numbers of its UTF-8 code points.
std::string xml(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '<' || c == '>' || c == '&' || c == '"' || c < ' ' || c == 0x7F) {
      result += c < ' ' || c == 0x7F ? std::string(" ") : fmt::format("&#{};", c);
    } else if (c < 0x80) {
      result += text[i];
    } else {
      const int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
      std::uint32_t code = c & (0x3F >> more);
      int got = 0;
      while (got < more && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xC0) == 0x80) {
        code = code << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F);
        ++got;
      }
      result += more > 0 && got == more ? fmt::format("&#{};", code) : std::string("?");
    }
  }
  return result;
}

bool known(Vec3 voxel_um) {
  return voxel_um.x > 0 && voxel_um.y > 0;
}

std::string list(Vec3 v) {
  return fmt::format("{},{},{}", v.x, v.y, v.z);
}

std::optional<double> number_at(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// What stands behind `key` at its first place in `text`.
std::optional<std::string_view> behind(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  return text.substr(at + key.size());
}

Vec3 list_behind(std::string_view text, std::string_view key) {
  auto rest = behind(text, key);
  if (!rest) return {};
  Vec3 result;
  for (double* component : {&result.x, &result.y, &result.z}) {
    const auto value = number_at(*rest);
    if (!value) return {};
    *component = *value;
    if (rest->starts_with(',')) rest->remove_prefix(1);
  }
  return result;
}

/// Units by the names that OME-XML and ImageJ have for them; 0 for others (pixels, say).
double micrometres_of(std::string_view unit) {
  struct Unit {
    std::string_view name;
    double um;
  };
  // The micro sign and the letter mu; in XML also as a number, in ImageJ as it is written in Java, or in
  // Latin 1.
  static constexpr Unit kUnits[] = {{"\xC2\xB5m", 1},   {"\xCE\xBCm", 1}, {"&#181;m", 1},    {"&#xB5;m", 1},
                                    {"\\u00B5m", 1},    {"\\u00b5m", 1},  {"\xB5m", 1},      {"um", 1},
                                    {"micron", 1},      {"microns", 1},   {"micrometer", 1}, {"pm", 1e-6},
                                    {"\xC3\x85", 1e-4}, {"nm", 1e-3},     {"mm", 1e3},       {"cm", 1e4},
                                    {"m", 1e6},         {"in", 25400},    {"inch", 25400}};
  for (const Unit& known : kUnits)
    if (unit == known.name) return known.um;
  return 0;
}

/// A length of OME-XML, whose unit is the attribute NAMEUnit; micrometres without one.
double ome_length(std::string_view text, const std::string& name) {
  auto rest = behind(text, fmt::format(" {}=\"", name));
  const auto value = rest ? number_at(*rest) : std::nullopt;
  if (!value) return 0;
  const auto unit = behind(text, fmt::format(" {}Unit=\"", name));
  if (!unit) return *value;
  return *value * micrometres_of(unit->substr(0, unit->find('"')));
}

/// What stands behind `key` up to the end of its line, the first of the text included.
std::string_view line_behind(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at)) {
    if (text[at] == '\n') ++at;
    const std::string_view line = text.substr(at, text.find_first_of("\r\n", at) - at);
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

/// ImageJ says the unit, and the tags how many pixels make one; the distance of planes is `spacing`, which
/// may be negative.
Vec3 imagej_voxel(std::string_view description, Vec3 pixels_per_unit) {
  const double unit = micrometres_of(line_behind(description, "unit="));
  if (unit == 0) return {};
  std::string_view spacing = line_behind(description, "spacing=");
  const Vec3 voxel{unit / pixels_per_unit.x, unit / pixels_per_unit.y,
                   unit * std::abs(number_at(spacing).value_or(0))};
  const auto is_length = [](double um) { return std::isfinite(um) && um > 0; };
  return is_length(voxel.x) && is_length(voxel.y) ? voxel : Vec3{};
}

Vec3 not_negative(Vec3 v) {
  return v.x < 0 || v.y < 0 || v.z < 0 ? Vec3{} : v;
}

}  // namespace

std::string date_time(const FrameStamp& stamp) {
  if (!has_time(stamp)) return "";
  return fmt::format("{:%Y:%m:%d %H:%M:%S}", fmt::gmtime(moment_of(stamp).seconds));
}

std::string imagej_description(const Description& what) {
  const VolumeSpec& spec = what.spec;
  std::string text = "ImageJ=1.11a\n";
  if (spec.shape.z > 1) text += fmt::format("images={0}\nslices={0}\n", spec.shape.z);
  if (known(spec.voxel_um)) text += "unit=micron\n";
  if (spec.voxel_um.z > 0) text += fmt::format("spacing={}\n", spec.voxel_um.z);
  text += "loop=false\n";
  if (known(spec.voxel_um)) {
    text += fmt::format("voxel_um={}\n", list(spec.voxel_um));
    text += fmt::format("origin_um={}\n", list(spec.origin_um));
  }
  if (!what.name.empty()) text += fmt::format("name={}\n", one_line(what.name));
  if (!what.source.empty()) text += fmt::format("source={}\n", one_line(what.source));
  if (spec.first_frame >= 0) text += fmt::format("frame={}\n", spec.first_frame);
  if (spec.stamp.has_counter) text += fmt::format("counter={}\n", spec.stamp.counter);
  if (has_time(spec.stamp)) text += fmt::format("time={}\n", iso_time(spec.stamp));
  return text;
}

std::string ome_description(const Description& what) {
  const VolumeSpec& spec = what.spec;
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
      "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:schemaLocation=\"http://www.openmicroscopy.org/Schemas/OME/2016-06 "
      "http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd\" Creator=\"spimstitch {}\">",
      SPIMSTITCH_VERSION);
  text += fmt::format("<Image ID=\"Image:0\" Name=\"{}\">", xml(what.name));
  if (has_time(spec.stamp))
    text += fmt::format("<AcquisitionDate>{}</AcquisitionDate>", iso_time(spec.stamp));
  text += fmt::format(
      "<Pixels ID=\"Pixels:0\" DimensionOrder=\"XYZCT\" Type=\"{}\" BigEndian=\"false\" SizeX=\"{}\" "
      "SizeY=\"{}\" SizeZ=\"{}\" SizeC=\"1\" SizeT=\"1\"",
      spec.type == PixelType::u8 ? "uint8" : "uint16", spec.shape.x, spec.shape.y, spec.shape.z);
  const auto length = [&](const char* name, double value) {
    text += fmt::format(" {0}=\"{1}\" {0}Unit=\"&#181;m\"", name, value);
  };
  if (spec.voxel_um.x > 0) length("PhysicalSizeX", spec.voxel_um.x);
  if (spec.voxel_um.y > 0) length("PhysicalSizeY", spec.voxel_um.y);
  if (spec.voxel_um.z > 0) length("PhysicalSizeZ", spec.voxel_um.z);
  text += fmt::format(
      "><Channel ID=\"Channel:0:0\" SamplesPerPixel=\"1\"/>"
      "<TiffData IFD=\"0\" PlaneCount=\"{}\"/><Plane TheZ=\"0\" TheC=\"0\" TheT=\"0\"",
      spec.shape.z);
  if (known(spec.voxel_um)) {
    length("PositionX", spec.origin_um.x);
    length("PositionY", spec.origin_um.y);
    length("PositionZ", spec.origin_um.z);
  }
  text += "/></Pixels></Image>";
  if (!what.source.empty() || spec.first_frame >= 0)
    text += fmt::format(
        "<StructuredAnnotations><XMLAnnotation ID=\"Annotation:0\"><Value><Source file=\"{}\" "
        "frame=\"{}\"/></Value></XMLAnnotation></StructuredAnnotations>",
        xml(what.source), spec.first_frame);
  return text + "</OME>";
}

Lengths lengths_of(const std::string& description, Vec3 pixels_per_unit) {
  Lengths lengths;
  if (description.find("<OME") != std::string::npos) {
    for (const auto& [axis, voxel, origin] : {std::tuple('X', &lengths.voxel_um.x, &lengths.origin_um.x),
                                              std::tuple('Y', &lengths.voxel_um.y, &lengths.origin_um.y),
                                              std::tuple('Z', &lengths.voxel_um.z, &lengths.origin_um.z)}) {
      *voxel = ome_length(description, fmt::format("PhysicalSize{}", axis));
      *origin = ome_length(description, fmt::format("Position{}", axis));
    }
  } else {
    lengths.voxel_um = list_behind(description, "\nvoxel_um=");
    lengths.origin_um = list_behind(description, "\norigin_um=");
    if (lengths.voxel_um == Vec3{} && description.starts_with("ImageJ="))
      lengths.voxel_um = imagej_voxel(description, pixels_per_unit);
  }
  lengths.voxel_um = not_negative(lengths.voxel_um);
  return lengths;
}

}  // namespace spim::tiff
