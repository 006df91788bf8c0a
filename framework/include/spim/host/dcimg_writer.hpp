#pragma once
/// Writes DCIMG camera files: for the simulator and for tests. Hamamatsu publishes no description; the layout
/// follows what public readers agree on (docs/dcimg.md).

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spim/image.hpp"

namespace spim {

enum class DcimgVersion : std::uint32_t { v7 = 0x7, v1 = 0x01000000, v1_5 = 0x01050000, v2 = 0x02000000 };

/// Where the bytes lie by which a stored row exceeds its pixels.
enum class DcimgPadding : std::uint32_t { end, start };

/// Everything that real files vary in. The defaults make a v1 file of a Camera Link camera. Where a value is
/// optional, nothing means what the cameras of that version write.
struct DcimgSettings {
  DcimgVersion version = DcimgVersion::v1;
  std::int64_t frames = 0, rows = 0, columns = 0;
  PixelType type = PixelType::u16;
  bool overwritten_pixels =
      true;  ///< the camera replaces 8 bytes per frame and keeps the true ones elsewhere
  std::int64_t overwritten_row = -1;  ///< -1: 0 for v2, the middle row otherwise
  std::int64_t overwritten_column = 0;
  std::int64_t row_padding = 0;  ///< bytes by which a stored row exceeds its pixels
  DcimgPadding padding_side = DcimgPadding::end;
  std::uint8_t padding_value = 0;
  std::int64_t first_microseconds = 1'600'000'000'250'000;  ///< Unix time of frame 0
  std::int64_t interval_microseconds = 10'000;
  std::uint32_t first_counter = 0;
  std::vector<std::int64_t> dropped_before;  ///< frames before which one counter value is skipped
  bool stamps = true;                        ///< counters and times are recorded
  bool tail = true;  ///< what follows the frames is written; v7 keeps its stamps and true pixels there
  std::optional<std::int64_t> header_size;  ///< of the file: where the (first) session begins
  std::optional<std::int64_t> data_offset;  ///< of frame 0 from the session header
  std::optional<std::int64_t> footer_size;  ///< behind each frame; 0 for v7
  bool blocks = true;                       ///< the framed versions' table of blocks, with the camera's names
  std::optional<std::int64_t> camera_offset;  ///< of the camera block from the session header
  std::int64_t sensor_x = 0;                  ///< first sensor column of the sub-array
  std::optional<std::int64_t> sensor_y;       ///< first sensor row of the sub-array
  std::int64_t binning = 1;
  std::string model = "C11440-22C";
  std::string serial = "S/N: 000001";
};

/// The numbers of one session that follow from its settings, in bytes.
struct DcimgLayout {
  std::int64_t row_bytes = 0, image_bytes = 0;
  std::int64_t header_size = 0;     ///< of the file
  std::int64_t data_offset = 0;     ///< of frame 0 from the session header
  std::int64_t footer_size = 0;     ///< behind each frame
  std::int64_t stride = 0;          ///< from frame to frame
  std::int64_t overwritten_at = 0;  ///< first overwritten byte of a frame; -1 when there are none
  std::int64_t frames_end = 0;      ///< end of the last frame, from the session header
  std::int64_t tail_bytes = 0;      ///< behind the last frame, part of the session
  std::int64_t session_bytes() const noexcept { return frames_end + tail_bytes; }
};

/// Throws Error when `settings` contradict themselves or do not fit the fields of the format.
DcimgLayout dcimg_layout(const DcimgSettings& settings);

/// A camera file being written, frame after frame. Until close() the file says that it holds no frames, as
/// one that a camera still writes. An existing file is replaced. Every call throws Error when the bytes
/// cannot be written (a full disk) or the settings make no file. [one thread]
class DcimgWriter {
 public:
  DcimgWriter(const std::filesystem::path& path, const DcimgSettings& settings);
  ~DcimgWriter();

  /// Appends the next frame of the session; its shape is rows x columns of the settings. Values above 255
  /// are refused in a uint8 file.
  void write(ImageView<const std::uint16_t> frame);

  /// Appends `count` frames of zeros without storing their pixels: a hole where the file system has them.
  void skip(std::int64_t count);

  /// Ends the current session, all of whose frames are written, and begins another one.
  void next_session(const DcimgSettings& settings);

  /// Writes what follows the frames, completes the headers and closes the file. All declared frames must
  /// have been written.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spim
