// The suite of volume readers.

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "conformance_suite.hpp"
#include "conformance_volumes.hpp"

namespace spim {
namespace {

namespace fs = std::filesystem;

/// At most this many voxels of a sample are read at once.
constexpr std::int64_t kMostVoxels = std::int64_t{1} << 24;

/// The corner at the origin and the corner opposite, of bounded size.
std::vector<Box> corners(Index3 shape) {
  const Index3 size = min(shape, {256, 256, 256});
  std::vector<Box> boxes = {{{}, size}};
  if (size != shape) boxes.push_back({shape - size, shape});
  return boxes;
}

void check_voxels(ConformanceSuite& suite, VolumeReader& reader) {
  static_assert(kMostVoxels >= 256 * 256 * 256);
  const std::int32_t levels = reader.info().levels;
  suite.check("reads boxes as parts of larger boxes", [&] {
    for (std::int32_t l = 0; l < levels; ++l)
      for (const Box& corner : corners(reader.level(l).shape)) {
        const std::vector<std::uint16_t> whole = read_box(reader, l, corner);
        for (const Box& part : some_boxes(corner))
          expect_part(read_box(reader, l, part), part, whole, corner);
      }
  });
  suite.check("reads the same from several threads and instances", [&] {
    const auto second =
        open_volume(suite.registry(), suite.host(), suite.selection(), suite.settings().sample);
    const Box corner = corners(reader.level(0).shape).front();
    const std::vector<std::uint16_t> whole = read_box(reader, 0, corner);
    const std::vector<Box> boxes = some_boxes(corner);
    suite.settings().executor->parallel_for(
        static_cast<std::int64_t>(boxes.size()) * 2, [&](std::int64_t i, int) {
          const Box& part = boxes[static_cast<std::size_t>(i / 2)];
          expect_part(read_box(i % 2 == 0 ? reader : *second, 0, part), part, whole, corner);
        });
  });
}

}  // namespace

void check_volume_reader(ConformanceSuite& suite) {
  check_hostile_files(suite, [&](const fs::path& path) {
    const auto reader = open_volume(suite.registry(), suite.host(), suite.selection(), path);
    (void)read_box(*reader, 0, {{}, min(reader->level(0).shape, {64, 64, 64})});
  });
  const fs::path& sample = suite.settings().sample;
  std::unique_ptr<VolumeReader> reader;
  suite.check("opens the sample", [&] {
    require_sample(suite);
    reader = open_volume(suite.registry(), suite.host(), suite.selection(), sample);
    for (std::int32_t l = 1; l < reader->info().levels; ++l) {
      const Index3 coarse = reader->level(l).shape, fine = reader->level(l - 1).shape;
      if (coarse.x > fine.x || coarse.y > fine.y || coarse.z > fine.z)
        throw Error(fmt::format("level {} is larger than level {}", l, l - 1));
    }
  });
  if (reader) check_voxels(suite, *reader);
}

}  // namespace spim
