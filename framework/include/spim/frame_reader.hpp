#pragma once
/// The interface of a camera-file format.

#include <cstdint>

#include "spim/frame_stamp.hpp"
#include "spim/host.hpp"
#include "spim/image.hpp"
#include "spim/plugin_kind.hpp"

namespace spim {

/// What a stack holds.
struct StackInfo {
  std::int64_t frames = 0;    ///< whole frames that can be read
  std::int64_t declared = 0;  ///< frames the file says it has; more than `frames` means that it is cut short
  std::int64_t rows = 0;      ///< of a frame as stored, before any rotation
  std::int64_t columns = 0;
  PixelType type = PixelType::u16;
};

/// One open stack of frames. Created with (Host&, const Options&, std::string_view path); the constructor
/// opens the file, checks its header and throws if it is not readable.
class FrameReader {
 public:
  static constexpr Kind kKind = Kind::frame_reader;
  virtual ~FrameReader() = default;

  /// Constant for the life of the instance. [any thread]
  virtual StackInfo info() const = 0;

  /// Reads rows [first_row, first_row + out.rows) of `frame` into `out`; out.columns equals info().columns.
  /// The host asks only for frames and rows that exist. uint8 files are widened. Throws if the bytes cannot
  /// be read; `out` is undefined then. [one thread per instance, or any if declared reentrant]
  virtual void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) = 0;

  /// The camera's counter and time of `frame`; the default says that there are none. [as read]
  virtual FrameStamp stamp(std::int64_t frame) {
    (void)frame;
    return {};
  }

  /// Describes the file to a user (`spimstitch info`). [as read]
  virtual void describe(MetadataSink& sink) { (void)sink; }
};

}  // namespace spim
