#include "array_metadata.hpp"

#include <fmt/format.h>

#include <cmath>

#include "array_fields.hpp"
#include "spim/error.hpp"

namespace spim::zarr {

std::int64_t ArrayMetadata::chunk_bytes() const noexcept {
  std::int64_t bytes = count(grid.chunk) * chunked::bytes_of(format);
  for (const std::int64_t extent : leading_chunk) bytes *= extent;
  return bytes;
}

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

void set_extents(ArrayMetadata& array, const std::vector<std::int64_t>& shape,
                 const std::vector<std::int64_t>& chunk, const std::string& subject) {
  if (shape.size() != chunk.size())
    throw Error(fmt::format("{} has a shape of {} axes and chunks of {}; they must agree", subject,
                            shape.size(), chunk.size()));
  array.grid = {space_of(shape), space_of(chunk)};
  chunked::check_grid(array.grid, chunked::bytes_of(array.format), subject);
  array.leading_shape.assign(shape.begin(), shape.end() - kSpaceAxes);
  array.leading_chunk.assign(chunk.begin(), chunk.end() - kSpaceAxes);
  std::int64_t bytes = count(array.grid.chunk) * chunked::bytes_of(array.format);
  for (const std::int64_t extent : array.leading_chunk)
    if (__builtin_mul_overflow(bytes, extent, &bytes) || bytes > chunked::kLargestChunkBytes)
      throw Error(fmt::format("{} has chunks that are too large; they may have at most {} bytes", subject,
                              chunked::kLargestChunkBytes));
}

}  // namespace spim::zarr
