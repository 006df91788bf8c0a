#pragma once
/// Writes DCIMG camera files: for the simulator and for tests. Hamamatsu publishes no description; the layout
/// follows what public readers agree on (docs/dcimg.md).

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "spim/image.hpp"

namespace spim {

enum class DcimgVersion : std::uint32_t { v7 = 0x7, v1 = 0x01000000, v1_5 = 0x01050000, v2 = 0x02000000 };

/// Everything that real files vary in. The defaults make a v1 file of a Camera Link camera.
struct DcimgSettings {
  DcimgVersion version = DcimgVersion::v1;
  std::int64_t frames = 0, rows = 0, columns = 0;
  PixelType type = PixelType::u16;
  bool overwritten_pixels =
      true;  ///< the camera replaces 8 bytes per frame and keeps the true ones elsewhere
  std::int64_t overwritten_row = -1;                        ///< -1: 0 for v2, the middle row otherwise
  std::int64_t row_padding = 0;                             ///< bytes behind each row
  std::int64_t first_microseconds = 1'600'000'000'250'000;  ///< Unix time of frame 0
  std::int64_t interval_microseconds = 10'000;
  std::uint32_t first_counter = 0;
  std::vector<std::int64_t> dropped_before;  ///< frames before which one counter value is skipped
};

/// A camera file being written, frame after frame. Throws Error; close() must be called for the file to be
/// whole.
class DcimgWriter {
 public:
  DcimgWriter(const std::filesystem::path& path, const DcimgSettings& settings);
  ~DcimgWriter();
  void write(ImageView<const std::uint16_t> frame);
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spim
