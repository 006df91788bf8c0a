#include "dcimg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "fields.hpp"
#include "grouped.hpp"
#include "overwritten.hpp"
#include "spim/error.hpp"

namespace spim {
namespace {

using dcimg_reader::Fields;
using dcimg_reader::grouped;

/// Rows pass through a buffer of this size when they cannot be read straight into place: it stays in a core's
/// second-level cache, and requests are still large.
constexpr std::int64_t kScratchBytes = 256 << 10;

dcimg_reader::Choices choices_of(const Options& options) {
  return {options.text("padding") == "start" ? dcimg_reader::Padding::start : dcimg_reader::Padding::end,
          options.integer("session")};
}

/// Copies `columns` stored pixels of `type`, at any alignment.
void copy_row(const std::uint8_t* from, PixelType type, std::int64_t columns, std::uint16_t* to) {
  if (type == PixelType::u16)
    std::memcpy(to, from, static_cast<std::size_t>(columns) * 2);
  else
    std::copy_n(from, columns, to);
}

}  // namespace

/// One call of read().
struct DcimgReader::Request {
  std::int64_t frame, first_row;
  ImageView<std::uint16_t> out;
};

DcimgReader::DcimgReader(Host& host, const Options& options, std::string_view path)
    : host_(host),
      file_(path),
      session_(dcimg_reader::read_session(file_, choices_of(options), host)),
      restore_(options.boolean("restore-pixels")),
      padding_at_start_(options.text("padding") == "start") {}

int DcimgReader::probe(const char*, const unsigned char* head, std::uint64_t head_size) noexcept {
  return head_size >= 8 && std::memcmp(head, "DCIMG\0\0\0", 8) == 0 ? 100 : 0;
}

StackInfo DcimgReader::info() const {
  return {session_.frames, session_.declared, session_.rows, session_.columns, session_.type};
}

void DcimgReader::read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) {
  check(frame, first_row, out);
  if (out.rows == 0) return;
  const Request request{frame, first_row, out};
  const bool dense_file = session_.type == PixelType::u16 && session_.padding() == 0;
  if (dense_file && (out.rows == 1 || out.row_stride == out.columns))
    read_bytes(request, session_.frame_at(frame) + first_row * session_.row_bytes, out.data,
               static_cast<std::size_t>(out.rows * session_.row_bytes));
  else if (session_.row_bytes <= kScratchBytes)
    read_groups_of_rows(request);
  else
    read_long_rows(request);
  if (restore_) restore_pixels(request);
  file_.check_unchanged();
}

void DcimgReader::check(std::int64_t frame, std::int64_t first_row,
                        const ImageView<std::uint16_t>& out) const {
  if (frame < 0 || frame >= session_.frames) refuse_frame(frame);
  if (first_row < 0 || out.rows < 0 || first_row > session_.rows - out.rows ||
      out.columns != session_.columns)
    throw Error(fmt::format(
        "rows {} to {} of {} columns were asked of {}; its frames have {} rows of {} columns", first_row,
        first_row + out.rows, out.columns, file_.path(), session_.rows, session_.columns));
}

void DcimgReader::refuse_frame(std::int64_t frame) const {
  const auto& s = session_;
  if (frame < 0 || frame >= s.declared)
    throw Error(
        fmt::format("{} has no frame {}; its frames are 0 to {}", file_.path(), frame, s.declared - 1));
  const std::int64_t behind = file_.size() - s.data;
  const std::int64_t before = behind / s.stride < frame ? behind : frame * s.stride;
  const std::string remedy =
      s.frames > 0 ? fmt::format("use --allow-truncated to stop at frame {}", s.frames - 1)
                   : std::string("no frame is whole, copy the file from the camera computer again");
  throw Error(fmt::format("frame {} of {} is cut short: {} of {} bytes; {}", frame, file_.path(),
                          grouped(std::min(behind - before, s.image_bytes)), grouped(s.image_bytes), remedy));
}

void DcimgReader::read_bytes(const Request& request, std::int64_t at, void* to, std::size_t size) const {
  const std::string subject = fmt::format("frame {}", request.frame);
  const std::size_t got = file_.read(at, to, size, subject);
  if (got < size) {
    file_.check_unchanged();
    throw Error(fmt::format("{} of {} ends after {} of {} bytes; copy the file again", subject, file_.path(),
                            grouped(got), grouped(size)));
  }
}

void DcimgReader::read_groups_of_rows(const Request& request) const {
  const auto& [frame, first_row, out] = request;
  const std::int64_t at_once = std::min(out.rows, kScratchBytes / session_.row_bytes);
  const auto scratch =
      std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(at_once * session_.row_bytes));
  for (std::int64_t row = 0; row < out.rows; row += at_once) {
    const std::int64_t rows = std::min(at_once, out.rows - row);
    read_bytes(request, session_.frame_at(frame) + (first_row + row) * session_.row_bytes, scratch.get(),
               static_cast<std::size_t>(rows * session_.row_bytes));
    for (std::int64_t i = 0; i < rows; ++i)
      copy_row(scratch.get() + i * session_.row_bytes + session_.lead, session_.type, session_.columns,
               out.row(row + i));
  }
}

/// Rows longer than the scratch buffer, which no camera writes, piece by piece: memory stays bounded.
void DcimgReader::read_long_rows(const Request& request) const {
  const auto& [frame, first_row, out] = request;
  const std::int64_t pixel = bytes_of(session_.type);
  const std::int64_t piece = kScratchBytes / pixel;
  const auto scratch =
      std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(kScratchBytes));
  for (std::int64_t row = 0; row < out.rows; ++row)
    for (std::int64_t x = 0; x < out.columns; x += piece) {
      const std::int64_t columns = std::min(piece, out.columns - x);
      const std::int64_t in_frame = (first_row + row) * session_.row_bytes + session_.lead + x * pixel;
      read_bytes(request, session_.frame_at(frame) + in_frame, scratch.get(),
                 static_cast<std::size_t>(columns * pixel));
      copy_row(scratch.get(), session_.type, columns, out.row(row) + x);
    }
}

void DcimgReader::restore_pixels(const Request& request) const {
  if (!session_.overwritten) return;
  const auto& place = *session_.overwritten;
  const std::int64_t row = place.row - request.first_row;
  if (row < 0 || row >= request.out.rows) return;
  constexpr std::size_t kBytes = dcimg_reader::kOverwrittenPattern.size();
  std::array<std::uint8_t, kBytes> bytes{};
  const std::string subject = fmt::format("frame {}", request.frame);
  // The footer of the last frame of a cut file may be gone: its pixels stay as they are.
  if (file_.read(place.true_values.at(request.frame), bytes.data(), kBytes, subject) < kBytes) return;
  const auto pixels = static_cast<std::int64_t>(kBytes) / bytes_of(session_.type);
  std::uint16_t* to = request.out.row(row) + place.column;
  if (place.evidence == dcimg_reader::Evidence::pattern) {
    std::array<std::uint16_t, kBytes> pattern{};
    copy_row(dcimg_reader::kOverwrittenPattern.data(), session_.type, pixels, pattern.data());
    if (!std::equal(to, to + pixels, pattern.data())) return;
  }
  copy_row(bytes.data(), session_.type, pixels, to);
}

FrameStamp DcimgReader::stamp(std::int64_t frame) {
  if (frame < 0 || frame >= session_.frames) refuse_frame(frame);
  const std::string subject = fmt::format("the stamp of frame {}", frame);
  FrameStamp stamp;
  if (session_.counters.present()) {
    const Fields<4> counter(file_, session_.counters.at(frame), subject);
    stamp.has_counter = counter.complete();
    stamp.counter = counter.u32(0);
  }
  if (session_.times.present()) {
    const Fields<8> time(file_, session_.times.at(frame), subject);
    constexpr std::uint32_t kSecond = 1'000'000;
    stamp.has_time = time.complete() && time.u32(0) != 0 && time.u32(4) < kSecond;
    if (stamp.has_time) stamp.microseconds = std::int64_t{time.u32(0)} * kSecond + time.u32(4);
  }
  return stamp;
}

}  // namespace spim
