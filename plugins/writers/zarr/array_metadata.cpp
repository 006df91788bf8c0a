#include "array_metadata.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/json_fields.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

namespace {

constexpr std::size_t kSpaceAxes = 3;
constexpr std::size_t kMostAxes = 5;

std::vector<std::int64_t> read_extents(const chunked::JsonFields& fields, const char* key) {
  std::vector<std::int64_t> extents;
  for (const auto& value : fields.array(key)) {
    std::int64_t extent = 0;
    if (!chunked::get_integer(value, 1, chunked::kLargestExtent, extent))
      fields.fail(key, fmt::format("an array of integers from 1 to {}", chunked::kLargestExtent));
    extents.push_back(extent);
  }
  if (extents.size() < kSpaceAxes || extents.size() > kMostAxes)
    fields.fail(key, "three to five axes, the last three being z, y, x");
  return extents;
}

Index3 space_of(const std::vector<std::int64_t>& extents) {
  const std::size_t n = extents.size();
  return {extents[n - 1], extents[n - 2], extents[n - 3]};
}

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

std::uint16_t read_fill(const chunked::JsonFields& fields, chunked::SampleFormat format) {
  if (!fields.has("fill_value")) return 0;  // null: undefined, so zero as anywhere else
  const std::int64_t largest = format == chunked::SampleFormat::u8 ? 255 : 65535;
  const auto& value = fields.member("fill_value");
  std::int64_t fill = 0;
  if (chunked::get_integer(value, 0, largest, fill)) return static_cast<std::uint16_t>(fill);
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number >= 0 && number <= static_cast<double>(largest) && number == std::floor(number))
      return static_cast<std::uint16_t>(number);
  }
  fields.fail("fill_value", fmt::format("null or an integer from 0 to {}", largest));
}

char read_separator(const chunked::JsonFields& fields) {
  if (!fields.has("dimension_separator")) return '.';
  const std::string& separator = fields.text("dimension_separator");
  if (separator != "." && separator != "/") fields.fail("dimension_separator", "\".\" or \"/\"");
  return separator[0];
}

/// Throws Error for what the format allows and we do not read.
void check_readable(const chunked::JsonFields& fields) {
  fields.integer("zarr_format", 2, 2);
  if (fields.text("order") != "C") fields.fail("order", "\"C\" (Fortran order is not supported)");
  if (fields.has("filters") && !fields.array("filters").empty())
    fields.fail("filters", "none (filters are not supported)");
}

}  // namespace

std::int64_t ArrayMetadata::chunk_bytes() const noexcept {
  std::int64_t bytes = count(grid.chunk) * chunked::bytes_of(format);
  for (const std::int64_t extent : leading_chunk) bytes *= extent;
  return bytes;
}

std::string encode_array(const chunked::ChunkGrid& grid, PixelType type,
                         const chunked::BloscSettings& codec) {
  const nlohmann::json array{{"zarr_format", 2},
                             {"shape", {1, 1, grid.shape.z, grid.shape.y, grid.shape.x}},
                             {"chunks", {1, 1, grid.chunk.z, grid.chunk.y, grid.chunk.x}},
                             {"dtype", type == PixelType::u8 ? "|u1" : "<u2"},
                             {"compressor",
                              {{"id", "blosc"},
                               {"cname", codec.codec},
                               {"clevel", codec.level},
                               {"shuffle", codec.shuffle},
                               {"blocksize", 0}}},
                             {"fill_value", 0},
                             {"order", "C"},
                             {"filters", nullptr},
                             {"dimension_separator", "/"}};
  return array.dump(4) + "\n";
}

ArrayMetadata parse_array(std::string_view text, const std::string& subject) {
  const auto document = chunked::parse_json_object(text, subject);
  const chunked::JsonFields fields(document, subject);
  check_readable(fields);
  ArrayMetadata array;
  const auto shape = read_extents(fields, "shape");
  const auto chunks = read_extents(fields, "chunks");
  if (shape.size() != chunks.size())
    throw Error(fmt::format("{} has {} axes in \"shape\" and {} in \"chunks\"; they must agree", subject,
                            shape.size(), chunks.size()));
  array.format = read_format(fields);
  array.grid = {space_of(shape), space_of(chunks)};
  chunked::check_grid(array.grid, chunked::bytes_of(array.format), subject);
  array.leading_shape.assign(shape.begin(), shape.end() - kSpaceAxes);
  array.leading_chunk.assign(chunks.begin(), chunks.end() - kSpaceAxes);
  std::int64_t bytes = count(array.grid.chunk) * chunked::bytes_of(array.format);
  for (const std::int64_t extent : array.leading_chunk)
    if (__builtin_mul_overflow(bytes, extent, &bytes) || bytes > chunked::kLargestChunkBytes)
      fields.fail("chunks", fmt::format("at most {} bytes per chunk", chunked::kLargestChunkBytes));
  array.compressor = read_compressor(fields, subject, array.codec);
  array.fill = read_fill(fields, array.format);
  array.separator = read_separator(fields);
  return array;
}

}  // namespace spim::zarr
