// link: spim_jp2
/// Any bytes as a JPEG 2000 file: its headers, and if they are sound a few rows of it.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "decode.hpp"
#include "memory_file.hpp"
#include "plane_notes.hpp"
#include "spim/error.hpp"

namespace {

/// Larger images are sound, too, but would take seconds each.
constexpr std::int64_t kMostSamples = 1 << 20;

void read_some(const spim::chunked::File& file, const spim::jp2::PlaneFile& plane) {
  const auto& image = plane.image;
  if (image.rows <= 0 || image.columns <= 0 || image.bits < 1 || image.bits > 16 || plane.begin < 0 ||
      plane.end <= plane.begin || plane.end > static_cast<std::int64_t>(file.size()))
    std::abort();
  if (image.columns > kMostSamples / image.rows) return;
  std::vector<std::uint16_t> samples(static_cast<std::size_t>(image.rows * image.columns));
  spim::jp2::decode(file, plane, {0, 0}, {samples.data(), image.rows, image.columns, image.columns});
  spim::jp2::decode(file, plane, {image.rows - 1, image.columns / 2}, {samples.data(), 1, 1, 1});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const spim::test::MemoryFile memory(data, size);
  try {
    const auto file = spim::chunked::File::open(memory.path());
    const spim::jp2::PlaneFile plane = spim::jp2::read_plane_file(file);
    (void)spim::jp2::notes_of(plane.image.comment);
    read_some(file, plane);
  } catch (const spim::Error&) {  // the one way out for bytes that are not right
  }
  return 0;
}
