#pragma once
/// What the headers of a DCIMG file say, checked (docs/dcimg.md).

#include <cstdint>
#include <optional>
#include <string>

#include "positional_file.hpp"
#include "spim/host.hpp"
#include "spim/image.hpp"

namespace spim::dcimg_reader {

inline constexpr std::uint32_t kVersion7 = 0x7;
inline constexpr std::uint32_t kVersion1 = 0x01000000;
inline constexpr std::uint32_t kVersion1_5 = 0x01050000;
inline constexpr std::uint32_t kVersion2 = 0x02000000;

/// On which side of a row the bytes lie that are not pixels.
enum class Padding : std::uint32_t { end, start };

/// What the user chooses.
struct Choices {
  Padding padding = Padding::end;
  std::int64_t session = 0;
};

/// One small value per frame at regular places of the file. Absent where `first` is negative.
struct FrameTable {
  std::int64_t first = -1;
  std::int64_t step = 0;
  bool present() const noexcept { return first >= 0; }
  std::int64_t at(std::int64_t frame) const noexcept { return first + frame * step; }
};

/// Why the overwritten pixels are believed to be where they are.
enum class Evidence : std::uint32_t {
  declared,  ///< the file says so: restored in every frame
  pattern,   ///< the usual place: restored in the frames that really hold the camera's pattern
};

/// The 8 bytes of a row that the camera overwrites in every frame.
struct OverwrittenPixels {
  std::int64_t row = 0, column = 0;
  FrameTable true_values;  ///< 8 bytes each, as they were to lie in the row
  Evidence evidence = Evidence::declared;
};

/// What the file tells about the camera; 0 or empty where it does not.
struct Camera {
  std::string model, serial;
  std::int64_t x = 0, width = 0, y = 0, height = 0;  ///< sub-array, sensor pixels
  std::int64_t binning = 0;
};

/// One session of a file. Sizes and positions in bytes, positions from the start of the file.
struct Session {
  std::uint32_t version = 0;
  std::int64_t sessions = 0;  ///< in the file, as its header says
  std::int64_t begin = 0;     ///< of the session header
  std::int64_t rows = 0, columns = 0;
  PixelType type = PixelType::u16;
  std::int64_t row_bytes = 0, image_bytes = 0;
  std::int64_t lead = 0;    ///< padding in front of each row's pixels
  std::int64_t data = 0;    ///< frame 0
  std::int64_t footer = 0;  ///< behind each frame; 0 in v7
  std::int64_t stride = 0;  ///< from frame to frame
  std::int64_t declared = 0, frames = 0;
  FrameTable counters;  ///< u32
  FrameTable times;     ///< u32 seconds, u32 microseconds
  std::optional<OverwrittenPixels> overwritten;
  Camera camera;

  std::int64_t padding() const noexcept { return row_bytes - columns * bytes_of(type); }
  std::int64_t frame_at(std::int64_t frame) const noexcept { return data + frame * stride; }
};

/// Reads and checks the headers. Throws Error when they make no sense; what can be done without is reported
/// to `host` as a warning.
Session read_session(const PositionalFile& file, const Choices& choices, Host& host);

/// Steps of read_session for the two kinds of layout: where stamps, camera and overwritten pixels are found.
void read_packed_footer(const PositionalFile& file, Host& host, Session& session,
                        std::uint64_t footer_offset);
void read_framed_blocks(const PositionalFile& file, Host& host, Session& session);

/// The row and column of byte `position` of a frame, where 8 bytes of pixels fit in the row from there on.
std::optional<OverwrittenPixels> overwritten_at(const Session& session, std::uint64_t position);

}  // namespace spim::dcimg_reader
