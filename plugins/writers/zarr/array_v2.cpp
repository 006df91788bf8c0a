#include <fmt/format.h>

#include "array_fields.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace {

chunked::SampleFormat read_format(const chunked::JsonFields& fields) {
  const auto& value = fields.member("dtype");
  if (value == "<u2") return chunked::SampleFormat::u16_little;
  if (value == ">u2") return chunked::SampleFormat::u16_big;
  if (value == "|u1" || value == "<u1" || value == ">u1") return chunked::SampleFormat::u8;
  fields.fail("dtype", "uint8 or uint16 (\"|u1\", \"<u2\" or \">u2\")");
}

Compressor read_compressor(const chunked::JsonFields& fields, const std::string& subject,
                           std::string& codec) {
  codec = "none";
  if (!fields.has("compressor")) {
    fields.member("compressor");  // null means none; that it is missing means damage
    return Compressor::none;
  }
  const chunked::JsonFields compressor(fields.member("compressor"), subject);
  const std::string& id = compressor.text("id");
  codec = id;
  if (id == "blosc") {
    if (compressor.has("cname")) codec += " " + compressor.text("cname");
    if (compressor.has("clevel")) codec += fmt::format(" {}", compressor.integer("clevel", 0, 9));
    return Compressor::blosc;
  }
  if (id == "zlib") return Compressor::zlib;
  if (id == "gzip") return Compressor::gzip;
  if (id == "zstd") return Compressor::zstd;
  compressor.fail("id", "\"blosc\", \"zlib\", \"gzip\", \"zstd\" or no compressor");
}

std::string read_separator(const chunked::JsonFields& fields) {
  if (!fields.has("dimension_separator")) return ".";
  const std::string& separator = fields.text("dimension_separator");
  if (separator != "." && separator != "/") fields.fail("dimension_separator", "\".\" or \"/\"");
  return separator;
}

/// Throws Error for what the format allows and we do not read.
void check_readable(const chunked::JsonFields& fields) {
  fields.integer("zarr_format", 2, 2);
  if (fields.text("order") != "C") fields.fail("order", "\"C\" (Fortran order is not supported)");
  if (fields.has("filters") && !fields.array("filters").empty())
    fields.fail("filters", "none (filters are not supported)");
}

nlohmann::json compressor_of(const WriteCodec& codec) {
  switch (codec.compressor) {
    case Compressor::blosc:
      return {{"id", "blosc"},
              {"cname", codec.settings.codec},
              {"clevel", codec.settings.level},
              {"shuffle", codec.settings.shuffle},
              {"blocksize", 0}};
    case Compressor::gzip:
      return {{"id", "gzip"}, {"level", codec.settings.level}};
    case Compressor::zstd:
      return {{"id", "zstd"}, {"level", codec.settings.level}};
    default:
      return nullptr;
  }
}

}  // namespace

std::string encode_array_v2(const ArrayToWrite& array) {
  const Index3 shape = array.grid.shape, chunk = array.grid.chunk;
  const nlohmann::json document{{"zarr_format", 2},
                                {"shape", {1, array.channels, shape.z, shape.y, shape.x}},
                                {"chunks", {1, 1, chunk.z, chunk.y, chunk.x}},
                                {"dtype", array.type == PixelType::u8 ? "|u1" : "<u2"},
                                {"compressor", compressor_of(array.codec)},
                                {"fill_value", 0},
                                {"order", "C"},
                                {"filters", nullptr},
                                {"dimension_separator", "/"}};
  return document.dump(4) + "\n";
}

ArrayMetadata parse_array_v2(std::string_view text, const std::string& subject) {
  const auto document = chunked::parse_json_object(text, subject);
  const chunked::JsonFields fields(document, subject);
  check_readable(fields);
  ArrayMetadata array;
  array.format = read_format(fields);
  set_extents(array, read_extents(fields, "shape"), read_extents(fields, "chunks"), subject);
  array.codecs.compressor = read_compressor(fields, subject, array.codec);
  array.fill = read_fill(fields, array.format);
  array.separator = read_separator(fields);
  return array;
}

}  // namespace spim::zarr
