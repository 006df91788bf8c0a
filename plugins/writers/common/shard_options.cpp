#include "common/shard_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "common/chunk_grid.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

namespace {

/// Takes a number and a comma off the front of `text`; 0 when there is no number.
std::int64_t take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  return number;
}

}  // namespace

Index3 shard_shape(const Options& options) {
  const std::string_view given = options.text("shard");
  if (given.empty()) return {};
  constexpr std::int64_t kLargest = std::int64_t{1} << 20;
  std::string_view text = given;
  Index3 shape;
  for (std::int64_t* extent : {&shape.x, &shape.y, &shape.z}) *extent = take_number(text);
  const bool three = std::count(given.begin(), given.end(), ',') == 2 && given.back() != ',' && text.empty();
  for (const std::int64_t extent : {shape.x, shape.y, shape.z})
    if (!three || extent < 1 || extent > kLargest)
      throw UsageError(fmt::format(
          "shard is \"{}\"; three numbers of voxels X,Y,Z from 1 to {}, such as 512,512,512, are expected",
          given, kLargest));
  return shape;
}

std::int64_t shard_memory(const Options& options) {
  return options.integer("shard-memory") << 20;
}

std::int64_t shard_memory_of(const VolumeSpec& spec, std::int64_t allowed) {
  // A pyramid holds 8/7 of its finest level, and no codec makes chunks much larger than they are.
  const Index3 chunks = ceil_div(spec.shape, spec.chunk);
  std::int64_t bytes = bytes_of(spec.type) + 1;
  for (const std::int64_t factor : {chunks.x, chunks.y, chunks.z, spec.chunk.x, spec.chunk.y, spec.chunk.z})
    if (__builtin_mul_overflow(bytes, factor, &bytes)) return allowed;
  return std::min(allowed, bytes);
}

}  // namespace spim::chunked
