// link: spim_tiff
// A TIFF file, read as frames and as a volume. The readers take paths, so the bytes pass through a file in
// memory.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "memory_file.hpp"
#include "spim/error.hpp"
#include "tiff_frames.hpp"
#include "tiff_volume.hpp"

namespace {

class QuietHost final : public spim::Host {
 public:
  void log(spim::LogLevel, std::string_view) noexcept override {}
  bool cancelled() const noexcept override { return false; }
  void parallel_for(std::int64_t count, void (*body)(void*, std::int64_t), void* context) override {
    for (std::int64_t i = 0; i < count; ++i) body(context, i);
  }
};

/// What is read must not be more than a test machine has.
constexpr std::int64_t kMostPixels = 1 << 20;

void read_frames(const std::string& path) {
  QuietHost host;
  spim::TiffFrames frames(host, {}, path);
  const spim::StackInfo info = frames.info();
  if (info.frames < 1 || info.rows < 1 || info.columns < 1) std::abort();
  if (info.rows > kMostPixels / info.columns) return;
  std::vector<std::uint16_t> pixels(static_cast<std::size_t>(info.rows * info.columns));
  const std::int64_t first = info.rows / 2;
  frames.read(info.frames - 1, first, {pixels.data(), info.rows - first, info.columns, info.columns});
  frames.read(0, 0, {pixels.data(), info.rows, info.columns, info.columns});
}

void read_volume(const std::string& path) {
  QuietHost host;
  spim::TiffVolume volume(host, {}, path);
  for (std::int32_t l = 0; l < volume.info().levels; ++l) {
    const spim::Index3 shape = volume.level(l).shape;
    if (shape.x < 1 || shape.y < 1 || shape.z < 1) std::abort();
    if (shape.y > kMostPixels / shape.x) continue;
    std::vector<std::uint16_t> voxels(static_cast<std::size_t>(shape.x * shape.y));
    const spim::Index3 size{shape.x, shape.y, 1};
    volume.read(l, {{0, 0, shape.z - 1}, shape}, spim::dense_view(voxels.data(), size));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const spim::test::MemoryFile file(data, size);
  for (const auto read : {read_frames, read_volume}) {
    try {
      read(file.path());
    } catch (const spim::Error&) {  // the one way out for bytes that are not right
    }
  }
  return 0;
}
