#include "common/volume_checks.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/chunk_grid.hpp"
#include "spim/error.hpp"

namespace spim::chunked {

namespace {

constexpr std::int32_t kMostLevels = 31;

void check_vector(Vec3 v, double minimum, const char* what) {
  for (const double component : {v.x, v.y, v.z})
    if (!std::isfinite(component) || component <= minimum)
      throw Error(fmt::format("the volume's {} is ({}, {}, {}) um; it must be finite{}", what, v.x, v.y, v.z,
                              minimum == 0 ? " and above 0" : ""));
}

}  // namespace

Index3 chunk_or_default(const VolumeSpec& spec, std::int64_t fallback) {
  const auto filled = [&](std::int64_t wanted) { return wanted == 0 ? fallback : wanted; };
  return {filled(spec.chunk.x), filled(spec.chunk.y), filled(spec.chunk.z)};
}

void check_spec(const VolumeSpec& spec) {
  if (spec.levels < 1 || spec.levels > kMostLevels)
    throw Error(fmt::format("the volume has {} levels; 1 to {} can be written", spec.levels, kMostLevels));
  check_grid({spec.shape, spec.chunk}, bytes_of(spec.type), "the volume");
  check_vector(spec.voxel_um, 0, "voxel size");
  check_vector(spec.origin_um, -HUGE_VAL, "origin");
}

void check_begun(const VolumeSpec& spec) {
  if (spec.chunk.x < 1 || spec.chunk.y < 1 || spec.chunk.z < 1)
    throw Error("the volume has not been begun; call begin() before write() and finish()");
}

Index3 chunk_size(const VolumeSpec& spec, const ChunkAddress& chunk) {
  check_begun(spec);
  const bool exists = chunk.level >= 0 && chunk.level < spec.levels && chunk.channel >= 0 &&
                      chunk.channel < spec.channel_count;
  const ChunkGrid grid{exists ? level_shape(spec.shape, chunk.level) : Index3{}, spec.chunk};
  if (!exists || !contains({{0, 0, 0}, grid.count()}, {chunk.index, chunk.index + Index3{1, 1, 1}}))
    throw Error(fmt::format("chunk ({}, {}, {}) of level {}, channel {}, is not in the volume", chunk.index.x,
                            chunk.index.y, chunk.index.z, chunk.level, chunk.channel));
  return grid.box(chunk.index).size();
}

void check_chunk(const VolumeSpec& spec, const ChunkAddress& chunk, Index3 size) {
  const Index3 expected = chunk_size(spec, chunk);
  if (size != expected)
    throw Error(
        fmt::format("chunk ({}, {}, {}) of level {} came with {} x {} x {} voxels; it has {} x {} x {}",
                    chunk.index.x, chunk.index.y, chunk.index.z, chunk.level, size.x, size.y, size.z,
                    expected.x, expected.y, expected.z));
}

void warn_of_many_files(Host& host, const VolumeSpec& spec, std::string_view remedy) {
  constexpr std::int64_t kManyFiles = 1'000'000;
  std::int64_t files = 0;
  for (std::int32_t level = 0; level < spec.levels; ++level)
    files += spec.channel_count * count(ceil_div(level_shape(spec.shape, level), spec.chunk));
  if (files > kManyFiles)
    host.log(
        LogLevel::warning,
        fmt::format("the volume has {} chunks, each a file of its own unless it is zero; the option {} puts "
                    "many chunks into one file",
                    files, remedy));
}

}  // namespace spim::chunked
