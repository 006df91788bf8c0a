#pragma once
/// A camera file that exists in memory only.

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "spim/frame_reader.hpp"

namespace spim::test {

/// Frames whose samples are a hash of where they are, over the whole range of the type, so that any mistake
/// of place shows. Counts what is read. May be used from any thread.
class FakeFrames final : public FrameReader {
 public:
  explicit FakeFrames(const StackInfo& info) : info_(info) {}
  FakeFrames(std::int64_t frames, std::int64_t rows, std::int64_t columns)
      : FakeFrames({frames, frames, rows, columns, PixelType::u16}) {}

  static std::uint16_t sample(std::int64_t frame, std::int64_t row, std::int64_t column) {
    std::uint64_t h = static_cast<std::uint64_t>(frame) * 0x9E3779B97F4A7C15U ^
                      static_cast<std::uint64_t>(row) * 0xC2B2AE3D27D4EB4FU ^
                      static_cast<std::uint64_t>(column) * 0x165667B19E3779F9U;
    h = (h ^ (h >> 29)) * 0xBF58476D1CE4E5B9U;
    return static_cast<std::uint16_t>(h >> 40);
  }
  std::uint16_t expected(std::int64_t frame, std::int64_t row, std::int64_t column) const {
    const std::uint16_t value = sample(frame, row, column);
    return info_.type == PixelType::u8 ? static_cast<std::uint16_t>(value & 0xFF) : value;
  }

  StackInfo info() const override { return info_; }

  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) override {
    if (frame < 0 || frame >= info_.frames || first_row < 0 || out.rows < 1 ||
        first_row + out.rows > info_.rows || out.columns != info_.columns || out.row_stride < out.columns)
      throw std::logic_error("a reader was asked for what its file does not have");
    ++reads;
    rows_read += out.rows;
    if (frame == broken_frame) throw std::runtime_error("frame " + std::to_string(frame) + " is unreadable");
    for (std::int64_t i = 0; i < out.rows; ++i)
      for (std::int64_t j = 0; j < out.columns; ++j) out.row(i)[j] = expected(frame, first_row + i, j);
  }

  std::atomic<std::int64_t> reads{0};      ///< calls of read()
  std::atomic<std::int64_t> rows_read{0};  ///< camera rows delivered by them
  std::int64_t broken_frame = -1;          ///< reading it throws

 private:
  StackInfo info_;
};

}  // namespace spim::test
