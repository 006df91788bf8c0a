#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "dcimg_bytes.hpp"
#include "spim/error.hpp"

namespace spim {
namespace {

constexpr std::int64_t kMax32 = std::numeric_limits<std::uint32_t>::max();

void require(bool holds, const char* what, std::int64_t value, const char* limit) {
  if (!holds) throw Error(fmt::format("the camera file to write has {} {}; {}", what, value, limit));
}

void check_geometry(const DcimgSettings& s) {
  require(s.frames > 0 && s.frames <= kMax32, "a number of frames of", s.frames, "give 1 … 2^32-1");
  require(s.rows > 0 && s.rows <= kMax32, "a number of rows of", s.rows, "give 1 … 2^32-1");
  require(s.columns > 0 && s.columns <= kMax32, "a number of columns of", s.columns, "give 1 … 2^32-1");
  require(s.row_padding >= 0 && s.row_padding <= kMax32, "a row padding of", s.row_padding,
          "give 0 … 2^32-1 bytes");
  require(s.binning > 0, "a binning of", s.binning, "give 1 or more");
}

struct Defaults {
  std::int64_t header, data, footer;
};

/// What cameras write: the second-structure positions of real v1 files (first pixel at 872 with a footer of
/// 32 bytes, 928 with 16), 512-byte units in v2.
Defaults defaults_of(const DcimgSettings& s, std::int64_t image_bytes) {
  if (s.version == DcimgVersion::v7) return {0x78, 0x70, 0};
  if (s.version == DcimgVersion::v2) return {512, 1024, 512 + (512 - image_bytes % 512) % 512};
  const std::int64_t footer = s.overwritten_pixels ? 32 : 16;
  return {0x70, s.footer_size.value_or(footer) >= 32 ? 760 : 816, footer};
}

std::int64_t overwritten_at(const DcimgSettings& s, std::int64_t row_bytes, std::int64_t footer) {
  if (!s.overwritten_pixels) return -1;
  const std::int64_t row = s.overwritten_row >= 0          ? s.overwritten_row
                           : s.version == DcimgVersion::v2 ? 0
                                                           : s.rows / 2;
  const std::int64_t bytes = bytes_of(s.type);
  require(row < s.rows, "overwritten pixels in row", row, "choose a row of the frame");
  require(s.overwritten_column >= 0 && s.overwritten_column + 8 / bytes <= s.columns,
          "overwritten pixels from column", s.overwritten_column, "they must fit in the row");
  require(s.version == DcimgVersion::v7 || footer >= 20, "a frame footer of", footer,
          "the true values of overwritten pixels need 20 bytes");
  const std::int64_t lead = s.padding_side == DcimgPadding::start ? s.row_padding : 0;
  return row * row_bytes + lead + s.overwritten_column * bytes;
}

std::int64_t tail_bytes(const DcimgSettings& s) {
  if (!s.tail) return 0;
  if (s.version != DcimgVersion::v7) return 32 + 32 * s.frames;
  return 0x110 + (s.overwritten_pixels ? 20 : 12) * s.frames + 32 * s.frames;
}

}  // namespace

DcimgLayout dcimg_layout(const DcimgSettings& s) {
  check_geometry(s);
  DcimgLayout l;
  l.row_bytes = s.columns * bytes_of(s.type) + s.row_padding;
  require(l.row_bytes <= kMax32 && l.row_bytes <= kMax32 / s.rows, "rows of bytes", l.row_bytes,
          "a frame holds less than 4 GiB");
  l.image_bytes = l.row_bytes * s.rows;

  const Defaults usual = defaults_of(s, l.image_bytes);
  l.header_size = s.header_size.value_or(usual.header);
  l.data_offset = s.data_offset.value_or(usual.data);
  l.footer_size = s.footer_size.value_or(usual.footer);
  const bool packed = s.version == DcimgVersion::v7;
  const std::int64_t fields = packed ? 0x50 : 0x80;
  require(l.header_size >= dcimg::kFileHeaderFields && l.header_size <= 1 << 20, "a header size of",
          l.header_size, "give 72 … 1048576");
  require(l.data_offset >= fields && l.data_offset <= 1 << 20, "a data offset of", l.data_offset,
          "it must lie behind the session header and below 1 MiB");
  require(packed ? l.footer_size == 0 : l.footer_size >= 12 && l.footer_size <= 1 << 20, "a frame footer of",
          l.footer_size, "v7 has none, the others 12 … 1048576 bytes");
  l.stride = l.image_bytes + l.footer_size;
  require(l.stride <= kMax32, "a frame stride of", l.stride, "a frame with its footer holds less than 4 GiB");
  std::int64_t frames_bytes = 0;
  require(!__builtin_mul_overflow(s.frames, l.stride, &frames_bytes) && frames_bytes < std::int64_t{1} << 62,
          "a frame stride of", l.stride, "the file would exceed 2^62 bytes");
  l.frames_end = l.data_offset + frames_bytes;
  l.overwritten_at = overwritten_at(s, l.row_bytes, l.footer_size);
  l.tail_bytes = tail_bytes(s);
  return l;
}

namespace dcimg {
namespace {

constexpr std::int64_t kBlockTable = 0xF0;   // from the session header
constexpr std::int64_t kBlockOrigin = 0xA0;  // block offsets count from here
constexpr std::int64_t kCameraBlock = 248;
constexpr std::int64_t kOverwriteBlock = 56;

void put_text(std::span<std::uint8_t> bytes, std::int64_t at, std::size_t room, const std::string& text) {
  const auto n = std::min(text.size(), room - 1);
  std::memcpy(bytes.subspan(static_cast<std::size_t>(at), room).data(), text.data(), n);
}

/// A coordinate on the sensor as the camera block stores it; 0 for what no sensor has.
std::uint16_t sensor_value(std::int64_t v) {
  return v >= 0 && v <= 0xFFFF ? static_cast<std::uint16_t>(v) : std::uint16_t{0};
}

void put_camera(std::span<std::uint8_t> block, const DcimgSettings& s, const DcimgLayout& l) {
  put_text(block, 0x00, 32, "19.12.642.5901");
  put_text(block, 0x20, 32, "7.5.140.5901");
  put_text(block, 0x40, 64, s.model);
  put_text(block, 0x80, 16, "2.50.A");
  put_text(block, 0x90, 32, s.serial);
  put<std::uint32_t>(block, 0xB0, static_cast<std::uint32_t>(s.binning));
  // The overwritten pixels are those of sensor row 1023, the last of the upper half.
  const std::int64_t row = l.overwritten_at >= 0 ? l.overwritten_at / l.row_bytes : s.rows / 2;
  const std::int64_t y = s.sensor_y.value_or(s.version == DcimgVersion::v2 ? 0 : 1023 - row * s.binning);
  const std::int64_t area[] = {s.sensor_x, s.columns * s.binning, y, s.rows * s.binning};
  for (std::int64_t i = 0; i < 4; ++i) put<std::uint16_t>(block, 0xC8 + 2 * i, sensor_value(area[i]));
}

struct Block {
  std::uint32_t kind;
  std::int64_t size;
};

void put_blocks(Bytes& b, const DcimgSettings& s, const DcimgLayout& l) {
  const std::int64_t camera = s.camera_offset.value_or(l.data_offset - kCameraBlock);
  const std::int64_t behind = l.data_offset - camera - kCameraBlock;
  std::vector<Block> blocks = {{1, 16}};
  if (l.overwritten_at >= 0) blocks.push_back({4, kOverwriteBlock});
  std::int64_t known = 0;
  for (const Block& block : blocks) known += block.size;
  const auto entries = static_cast<std::int64_t>(blocks.size()) + 2 + (behind > 0 ? 1 : 0);
  std::int64_t at = kBlockTable + 16 * entries;
  const std::int64_t filler = camera - at - known;
  if (filler <= 0 || behind < 0)
    throw Error(
        fmt::format("the camera file to write has its camera block at {} and its pixels at {}; the table "
                    "of blocks does not fit, move them or leave the blocks out",
                    camera, l.data_offset));
  blocks.push_back({2, filler});
  blocks.push_back({3, kCameraBlock});
  if (behind > 0) blocks.push_back({5, behind});
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto entry = kBlockTable + 16 * static_cast<std::int64_t>(i);
    put<std::uint32_t>(b, entry, blocks[i].kind);
    put<std::uint32_t>(b, entry + 4, static_cast<std::uint32_t>(blocks[i].size));
    put<std::uint64_t>(b, entry + 8, static_cast<std::uint64_t>(at - kBlockOrigin));
    const auto block = std::span(b).subspan(static_cast<std::size_t>(at));
    if (blocks[i].kind == 4) {
      const std::uint32_t values[] = {1, 0, 16, 8, static_cast<std::uint32_t>(l.overwritten_at), 1};
      for (std::int64_t j = 0; j < 6; ++j) put<std::uint32_t>(block, 4 * j, values[j]);
    }
    if (blocks[i].kind == 3) put_camera(block, s, l);
    at += blocks[i].size;
  }
}

std::uint32_t u32(std::int64_t value) {
  return static_cast<std::uint32_t>(value);
}

}  // namespace

Stamp stamp_of(const DcimgSettings& s, std::int64_t frame) {
  if (!s.stamps) return {};
  const auto skipped = std::count_if(s.dropped_before.begin(), s.dropped_before.end(),
                                     [frame](std::int64_t dropped) { return dropped <= frame; });
  const std::int64_t us = s.first_microseconds + frame * s.interval_microseconds;
  return {s.first_counter + u32(frame) + u32(skipped), u32(us / 1'000'000), u32(us % 1'000'000)};
}

Bytes file_header(const DcimgSettings& s, const DcimgLayout& l, const FileTotals& totals) {
  Bytes b(static_cast<std::size_t>(l.header_size));
  std::memcpy(b.data(), "DCIMG", 5);
  put<std::uint32_t>(b, 0x08, static_cast<std::uint32_t>(s.version));
  put<std::uint32_t>(b, 0x20, u32(totals.sessions));
  put<std::uint32_t>(b, 0x24, u32(totals.frames));
  put<std::uint32_t>(b, 0x28, u32(l.header_size));
  put<std::uint64_t>(b, 0x30, static_cast<std::uint64_t>(totals.bytes));
  put<std::uint64_t>(b, 0x40, static_cast<std::uint64_t>(totals.bytes));
  if (l.header_size >= 0x58) put<std::uint32_t>(b, 0x54, 1024);
  return b;
}

Bytes session_header(const DcimgSettings& s, const DcimgLayout& l, Progress progress) {
  const bool finished = progress == Progress::finished;
  const bool packed = s.version == DcimgVersion::v7;
  Bytes b(static_cast<std::size_t>(l.data_offset));
  put<std::uint64_t>(b, 0, finished ? static_cast<std::uint64_t>(l.session_bytes()) : 0);
  // frames, bytes per pixel, channels, width, then rows and row bytes in the order of the version, image
  // bytes
  const std::uint32_t second = packed ? u32(l.row_bytes) : u32(s.rows);
  const std::uint32_t third = packed ? u32(s.rows) : u32(l.row_bytes);
  const std::uint32_t run[] = {finished ? u32(s.frames) : 0,
                               u32(bytes_of(s.type)),
                               1,
                               u32(s.columns),
                               second,
                               third,
                               u32(l.image_bytes)};
  const std::int64_t first = packed ? 0x20 : 0x3C;
  for (std::int64_t i = 0; i < 7; ++i) put<std::uint32_t>(b, first + 4 * i, run[i]);
  if (packed) {
    put<std::uint32_t>(b, 0x44, u32(l.data_offset));
    put<std::uint64_t>(b, 0x48, finished ? static_cast<std::uint64_t>(l.frames_end) : 0);
    return b;
  }
  put<std::uint64_t>(b, 0x60, static_cast<std::uint64_t>(l.data_offset));
  put<std::uint32_t>(b, 0x74, u32(l.stride));
  put<std::uint32_t>(b, 0x7C, u32(l.footer_size));
  if (s.blocks) put_blocks(b, s, l);
  return b;
}

Bytes packed_tail(const DcimgSettings& s, const DcimgLayout& l, std::span<const std::uint8_t> true_pixels) {
  constexpr std::int64_t kSecond = 0xA0;
  const std::int64_t counters = 0x110;
  const std::int64_t times = counters + 4 * s.frames;
  const std::int64_t pixels = times + 8 * s.frames;
  const std::int64_t footer = pixels + static_cast<std::int64_t>(true_pixels.size());
  const std::int64_t end = footer + 32 * s.frames;
  Bytes b(static_cast<std::size_t>(end));
  const auto put64 = [&b](std::int64_t at, std::int64_t value) {
    put<std::uint64_t>(b, at, static_cast<std::uint64_t>(value));
  };
  put<std::uint32_t>(b, 0x00, 7);
  put64(0x08, kSecond);
  put64(0x18, 0x80);
  put<std::uint32_t>(b, 0x28, u32(footer));
  put<std::uint32_t>(b, 0x30, u32(32 * s.frames));
  put64(0x80, end);
  put64(0x90, end);
  put64(kSecond + 0x00, kSecond + 0x40);
  put64(kSecond + 0x10, kSecond + 0x30);
  put64(kSecond + 0x30, counters);
  put64(kSecond + 0x40, times);
  if (l.overwritten_at >= 0) {
    put64(kSecond + 0x20, kSecond + 0x58);
    put64(kSecond + 0x58, pixels);
    put<std::uint32_t>(b, kSecond + 0x64, u32(l.overwritten_at));
    put64(kSecond + 0x68, 8);
  }
  for (std::int64_t i = 0; i < s.frames; ++i) {
    const Stamp stamp = stamp_of(s, i);
    put<std::uint32_t>(b, counters + 4 * i, stamp.counter);
    put<std::uint32_t>(b, times + 8 * i, stamp.seconds);
    put<std::uint32_t>(b, times + 8 * i + 4, stamp.microseconds);
  }
  std::copy(true_pixels.begin(), true_pixels.end(), b.begin() + pixels);
  for (std::int64_t i = 0; i < 2 * s.frames; ++i) put64(footer + 16 * i, end);  // an index of no known use
  return b;
}

}  // namespace dcimg
}  // namespace spim
