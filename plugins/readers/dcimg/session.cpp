#include "session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fields.hpp"
#include "grouped.hpp"
#include "spim/error.hpp"

namespace spim::dcimg_reader {
namespace {

constexpr std::size_t kFileHeaderBytes = 0x48;
constexpr std::size_t kPackedHeaderBytes = 0x50;
constexpr std::size_t kFramedHeaderBytes = 0x80;
constexpr std::int64_t kLargestHeader = 1 << 20;
constexpr std::int64_t kSmallestFooter = 12;  // counter and time
constexpr std::int64_t kLargestFooter = 1 << 20;

/// The numbers of a session header as they stand in the file, before any is believed.
struct RawSession {
  std::uint64_t frames, bytes_per_pixel, columns, rows, row_bytes, image_bytes, data_offset;
  std::uint64_t stride = 0, footer = 0;    // framed
  std::uint64_t packed_footer_offset = 0;  // v7
};

struct FileHeader {
  std::uint32_t version;
  std::int64_t sessions, size;
  std::uint64_t declared_bytes;
};

[[noreturn]] void damaged(const PositionalFile& file, const std::string& what) {
  throw Error(fmt::format("{} {}; the header is damaged, copy the file from the camera computer again",
                          file.path(), what));
}

[[noreturn]] void too_short(const PositionalFile& file, const char* what, std::int64_t needed) {
  throw Error(fmt::format("{} is cut short: its {} ends at byte {}, the file at byte {}; copy it again",
                          file.path(), what, grouped(needed), grouped(file.size())));
}

FileHeader read_file_header(const PositionalFile& file) {
  const Fields<kFileHeaderBytes> header(file, 0, "the header");
  using namespace std::string_view_literals;
  if (file.size() == 0)
    throw Error(fmt::format("{} is empty; copy it from the camera computer again", file.path()));
  if (!header.begins_with("DCIMG\0\0\0"sv))
    throw Error(fmt::format(
        "{} does not begin as a DCIMG file does; give a .dcimg file, or choose another reader", file.path()));
  if (!header.complete()) too_short(file, "file header", kFileHeaderBytes);
  FileHeader h{header.u32(0x08), header.u32(0x20), header.u32(0x28), header.u64(0x30)};
  if (h.version != kVersion7 && h.version != kVersion1 && h.version != kVersion1_5 && h.version != kVersion2)
    throw Error(
        fmt::format("{} has DCIMG version {:#010x}; known are 0x00000007, 0x01000000, 0x01050000 and "
                    "0x02000000, convert it with the camera's own software",
                    file.path(), h.version));
  if (h.size < static_cast<std::int64_t>(kFileHeaderBytes) || h.size > kLargestHeader)
    damaged(file,
            fmt::format("has a header of {} bytes, not 72 to {}", grouped(h.size), grouped(kLargestHeader)));
  return h;
}

/// Where the session header of `choices.session` begins: the sessions follow each other.
std::int64_t find_session(const PositionalFile& file, const FileHeader& header, const Choices& choices) {
  const std::int64_t sessions = std::max<std::int64_t>(header.sessions, 1);
  if (choices.session < 0 || choices.session >= sessions)
    throw Error(fmt::format("{} has no session {}; choose one of 0 to {}", file.path(), choices.session,
                            sessions - 1));
  std::int64_t at = header.size;
  for (std::int64_t i = 0; i < choices.session; ++i) {
    const Fields<8> size(file, at, "a session header");
    const auto room = static_cast<std::uint64_t>(std::max<std::int64_t>(file.size() - at, 0));
    if (!size.complete() || size.u64(0) < kPackedHeaderBytes || size.u64(0) >= room)
      throw Error(fmt::format(
          "{} ends before session {}: session {} at byte {} has {} bytes of the {} that are left; "
          "choose an earlier session",
          file.path(), choices.session, i, grouped(at), size.u64(0), grouped(room)));
    at += static_cast<std::int64_t>(size.u64(0));
  }
  return at;
}

RawSession read_packed_header(const PositionalFile& file, std::int64_t at) {
  const Fields<kPackedHeaderBytes> s(file, at, "the session header");
  if (!s.complete()) too_short(file, "session header", at + static_cast<std::int64_t>(kPackedHeaderBytes));
  return {.frames = s.u32(0x20),
          .bytes_per_pixel = s.u32(0x24),
          .columns = s.u32(0x2C),
          .rows = s.u32(0x34),
          .row_bytes = s.u32(0x30),
          .image_bytes = s.u32(0x38),
          .data_offset = s.u32(0x44),
          .packed_footer_offset = s.u64(0x48)};
}

RawSession read_framed_header(const PositionalFile& file, std::int64_t at) {
  const Fields<kFramedHeaderBytes> s(file, at, "the session header");
  if (!s.complete()) too_short(file, "session header", at + static_cast<std::int64_t>(kFramedHeaderBytes));
  return {.frames = s.u32(0x3C),
          .bytes_per_pixel = s.u32(0x40),
          .columns = s.u32(0x48),
          .rows = s.u32(0x4C),
          .row_bytes = s.u32(0x50),
          .image_bytes = s.u32(0x54),
          .data_offset = s.u64(0x60),
          .stride = s.u32(0x74),
          .footer = s.u32(0x7C)};
}

/// A camera completes the headers when a recording ends.
void check_has_frames(const PositionalFile& file, const RawSession& raw, std::int64_t session) {
  if (raw.frames > 0) return;
  const auto behind = file.size() - session;
  if (raw.data_offset < static_cast<std::uint64_t>(behind))
    throw Error(fmt::format(
        "{} says that it holds no frames, yet {} bytes of data follow: it is still being written, "
        "or its recording was never closed; wait for the recording to end",
        file.path(), grouped(behind - static_cast<std::int64_t>(raw.data_offset))));
  damaged(file, "says that it holds no frames");
}

/// All products are of 32-bit numbers, in 64 bits: a 32-bit product can wrap to a match.
void check_geometry(const PositionalFile& file, const RawSession& raw, std::uint64_t declared_bytes) {
  if (raw.bytes_per_pixel != 1 && raw.bytes_per_pixel != 2)
    damaged(file, fmt::format("has {} bytes per pixel, not 1 or 2", raw.bytes_per_pixel));
  if (raw.columns == 0 || raw.rows == 0)
    damaged(file, fmt::format("has frames of {} rows of {} pixels, not at least one", raw.rows, raw.columns));
  if (raw.row_bytes < raw.columns * raw.bytes_per_pixel)
    damaged(file, fmt::format("has rows of {} bytes where {} pixels need {}", grouped(raw.row_bytes),
                              raw.columns, grouped(raw.columns * raw.bytes_per_pixel)));
  if (raw.image_bytes != raw.row_bytes * raw.rows)
    damaged(file,
            fmt::format("has frames of {} bytes where {} rows of {} bytes make {}", grouped(raw.image_bytes),
                        raw.rows, grouped(raw.row_bytes), grouped(raw.row_bytes * raw.rows)));
  // A file that was cut off still tells its former size; a frame larger than both was never there.
  const auto largest = std::max(static_cast<std::uint64_t>(file.size()), declared_bytes);
  if (raw.image_bytes > largest)
    damaged(file, fmt::format("has frames of {} bytes in a file of {}", grouped(raw.image_bytes),
                              grouped(largest)));
}

std::int64_t checked_data(const PositionalFile& file, const RawSession& raw, std::int64_t session,
                          std::size_t header_bytes) {
  const auto room = static_cast<std::uint64_t>(file.size() - session);
  if (raw.data_offset < header_bytes)
    damaged(file, fmt::format("has its first frame inside the session header, at offset {} of {}",
                              raw.data_offset, header_bytes));
  if (raw.data_offset > room)
    damaged(file, fmt::format("has its first frame at offset {}, behind the end of the file at {}",
                              grouped(raw.data_offset), grouped(room)));
  return session + static_cast<std::int64_t>(raw.data_offset);
}

/// Stride and footer size say the same twice; one of them is enough.
std::int64_t checked_footer(const PositionalFile& file, Host& host, const RawSession& raw) {
  const auto plausible = [](std::int64_t footer) {
    return footer >= kSmallestFooter && footer <= kLargestFooter;
  };
  const auto by_footer = static_cast<std::int64_t>(raw.footer);
  const auto by_stride = static_cast<std::int64_t>(raw.stride) - static_cast<std::int64_t>(raw.image_bytes);
  if (!plausible(by_stride) && !plausible(by_footer))
    damaged(file,
            fmt::format("has frames of {} bytes every {} bytes with {} bytes behind each, which cannot be",
                        grouped(raw.image_bytes), grouped(raw.stride), grouped(raw.footer)));
  const std::int64_t footer = plausible(by_stride) ? by_stride : by_footer;
  if (by_stride != by_footer)
    host.log(LogLevel::warning,
             fmt::format("{} contradicts itself: frames of {} bytes every {} bytes with {} bytes "
                         "behind each; {} bytes are taken",
                         file.path(), raw.image_bytes, raw.stride, raw.footer, footer));
  return footer;
}

/// Whole frames in the file, never more than declared: what follows the frames can be longer than a frame.
std::int64_t frames_present(const PositionalFile& file, const Session& s) {
  const std::int64_t room = file.size() - s.data;
  const std::int64_t whole = room / s.stride + (room % s.stride >= s.image_bytes ? 1 : 0);
  return std::min(s.declared, whole);
}

void report(const PositionalFile& file, Host& host, const Session& s, const Choices& choices) {
  if (s.frames < s.declared)
    host.log(LogLevel::warning, fmt::format("{} is cut short: it holds {} of {} declared frames", file.path(),
                                            s.frames, s.declared));
  if (s.padding() > 0)
    host.log(
        LogLevel::warning,
        fmt::format(
            "rows of {} have {} bytes more than pixels, taken to be at the {} of the row; if the picture "
            "is shifted use --set reader.padding={}",
            file.path(), s.padding(), choices.padding == Padding::end ? "end" : "start",
            choices.padding == Padding::end ? "start" : "end"));
  if (s.sessions > 1)
    host.log(LogLevel::info,
             fmt::format("{} says that it holds {} sessions; session {} is read, choose another with "
                         "--set reader.session=N",
                         file.path(), s.sessions, choices.session));
}

}  // namespace

std::optional<OverwrittenPixels> overwritten_at(const Session& s, std::uint64_t position) {
  constexpr std::int64_t kBytes = 8;
  if (position >= static_cast<std::uint64_t>(s.image_bytes)) return std::nullopt;
  const auto at = static_cast<std::int64_t>(position);
  const std::int64_t in_row = at % s.row_bytes - s.lead;
  const std::int64_t pixel = bytes_of(s.type);
  if (in_row < 0 || in_row % pixel != 0 || in_row + kBytes > s.columns * pixel) return std::nullopt;
  return OverwrittenPixels{.row = at / s.row_bytes, .column = in_row / pixel, .true_values = {}};
}

Session read_session(const PositionalFile& file, const Choices& choices, Host& host) {
  const FileHeader header = read_file_header(file);
  Session s;
  s.version = header.version;
  s.sessions = header.sessions;
  s.begin = find_session(file, header, choices);
  const bool packed = s.version == kVersion7;
  const RawSession raw = packed ? read_packed_header(file, s.begin) : read_framed_header(file, s.begin);
  check_has_frames(file, raw, s.begin);
  check_geometry(file, raw, header.declared_bytes);
  s.rows = static_cast<std::int64_t>(raw.rows);
  s.columns = static_cast<std::int64_t>(raw.columns);
  s.type = raw.bytes_per_pixel == 1 ? PixelType::u8 : PixelType::u16;
  s.row_bytes = static_cast<std::int64_t>(raw.row_bytes);
  s.image_bytes = static_cast<std::int64_t>(raw.image_bytes);
  s.declared = static_cast<std::int64_t>(raw.frames);
  s.lead = choices.padding == Padding::start ? s.padding() : 0;
  s.data = checked_data(file, raw, s.begin, packed ? kPackedHeaderBytes : kFramedHeaderBytes);
  s.footer = packed ? 0 : checked_footer(file, host, raw);
  s.stride = s.image_bytes + s.footer;
  s.frames = frames_present(file, s);
  report(file, host, s, choices);
  if (packed)
    read_packed_footer(file, host, s, raw.packed_footer_offset);
  else
    read_framed_blocks(file, host, s);
  return s;
}

}  // namespace spim::dcimg_reader
