#include "codestream.hpp"

#include <fmt/format.h>

#include "bytes.hpp"
#include "spim/error.hpp"

namespace spim::jp2 {

namespace {

constexpr std::uint16_t kStart = 0xFF4F, kSize = 0xFF51, kCodingStyle = 0xFF52, kComment = 0xFF64,
                        kTilePart = 0xFF90;

/// The same for sizes of tiles: a decoder keeps some kilobytes for each tile.
constexpr std::int64_t kMostTiles = 65535;

using Bytes = std::span<const std::byte>;

[[noreturn]] void damaged(std::string_view what) {
  throw Error(fmt::format("its header is damaged ({}); copy the file again", what));
}

/// Fields of the marker segment SIZ behind its length (table A.9).
void read_size(Bytes segment, CodestreamHeader& header) {
  constexpr std::size_t kFixed = 36;
  if (segment.size() < kFixed) damaged("the image size is cut short");
  const auto field = [&](std::size_t i) { return static_cast<std::int64_t>(u32(segment, 2 + 4 * i)); };
  const std::int64_t right = field(0), bottom = field(1), left = field(2), top = field(3);
  const std::int64_t tile_left = field(6), tile_top = field(7);
  header.tile_columns = field(4);
  header.tile_rows = field(5);
  const int components = u16(segment, 34);
  if (components != 1)
    throw Error(fmt::format("has {} components; only grey images are read, save it as one channel per file",
                            components));
  if (segment.size() < kFixed + 3) damaged("the image size is cut short");
  if (right <= left || bottom <= top || header.tile_columns == 0 || header.tile_rows == 0 ||
      tile_left > left || tile_top > top || tile_left + header.tile_columns <= left ||
      tile_top + header.tile_rows <= top)
    damaged("the image is empty or outside its tiles");
  header.rows = bottom - top;
  header.columns = right - left;
  header.first_row = top;
  header.first_column = left;
  if (header.columns > kLargestImage / header.rows)
    throw Error(fmt::format("claims {} x {} samples, more than {}; copy the file again", header.columns,
                            header.rows, kLargestImage));
  const std::int64_t tiles =
      ceil_div(right - tile_left, header.tile_columns) * ceil_div(bottom - tile_top, header.tile_rows);
  if (tiles > kMostTiles) damaged(fmt::format("{} tiles, more than {}", tiles, kMostTiles));
  // OpenJPEG computes positions in 32 bits with a sign.
  if (right > INT32_MAX || bottom > INT32_MAX) damaged("the image lies too far from the origin");
  const auto depth = std::to_integer<int>(segment[kFixed]);
  header.bits = (depth & 0x7F) + 1;
  if ((depth & 0x80) != 0)
    throw Error("has signed samples; only unsigned ones of up to 16 bits are read, convert it first");
  if (header.bits > 16)
    throw Error(fmt::format("has samples of {} bits; up to 16 are read, convert it first", header.bits));
  if (segment[kFixed + 1] != std::byte{1} || segment[kFixed + 2] != std::byte{1})
    throw Error("has fewer samples than its image is large; only images without subsampling are read");
}

/// Fields of COD (table A.12).
void read_coding_style(Bytes segment, CodestreamHeader& header) {
  if (segment.size() < 10) damaged("the coding style is cut short");
  header.layers = u16(segment, 2);
  header.resolutions = std::to_integer<int>(segment[5]) + 1;
  header.lossless = segment[9] == std::byte{1};
  if (header.layers == 0) damaged("no quality layer");
  if (header.resolutions > 33) damaged("more than 32 decompositions");
}

}  // namespace

bool starts_codestream(Bytes bytes) noexcept {
  return bytes.size() >= 4 && u16(bytes, 0) == kStart && u16(bytes, 2) == kSize;
}

CodestreamHeader read_codestream_header(Bytes bytes) {
  if (!starts_codestream(bytes)) damaged("no codestream where one should start");
  CodestreamHeader header;
  for (std::size_t at = 2;;) {
    if (bytes.size() - at < 4) damaged("it ends before the first tile");
    const std::uint16_t marker = u16(bytes, at);
    if (marker == kTilePart) break;
    const std::size_t length = u16(bytes, at + 2);
    if (marker < 0xFF00 || length < 2) damaged(fmt::format("marker {:04x} of {} bytes", marker, length));
    if (length > bytes.size() - at - 2) damaged("it ends before the first tile");
    const Bytes segment = bytes.subspan(at + 4, length - 2);
    if (marker == kSize && header.rows == 0) read_size(segment, header);
    if (marker == kCodingStyle) read_coding_style(segment, header);
    if (marker == kComment && header.comment.empty() && segment.size() > 2 && u16(segment, 0) == 1)
      header.comment.assign(reinterpret_cast<const char*>(segment.data()) + 2, segment.size() - 2);
    at += 2 + length;
  }
  if (header.layers == 0) damaged("no coding style");
  return header;
}

}  // namespace spim::jp2
