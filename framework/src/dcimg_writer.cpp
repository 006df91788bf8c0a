#include "spim/host/dcimg_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "dcimg_bytes.hpp"
#include "spim/error.hpp"

namespace spim {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{4} << 20;  // one write() per so many bytes

[[noreturn]] void fail(const std::filesystem::path& path, const char* what, int error) {
  throw Error(fmt::format("{} cannot be {}: {}; check the disk and the folder and write it again",
                          path.string(), what, std::generic_category().message(error)));
}

}  // namespace

struct DcimgWriter::State {
  std::filesystem::path path;
  int fd = -1;
  DcimgSettings settings;
  DcimgLayout layout;
  DcimgSettings first_settings;  // of the first session: they make the file header
  DcimgLayout first_layout;
  std::int64_t session_at = 0;  // where the session header begins
  std::int64_t written = 0;     // frames of this session
  std::int64_t sessions = 0, earlier_frames = 0;
  std::int64_t flushed = 0;  // where the buffered bytes go
  dcimg::Bytes buffer;
  dcimg::Bytes true_pixels;  // of v7, which keeps them behind the frames

  ~State() {
    if (fd >= 0) ::close(fd);
  }

  void store(std::int64_t at, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), at);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail(path, "written", n < 0 ? errno : ENOSPC);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      at += n;
    }
  }

  void flush() {
    store(flushed, buffer);
    flushed += static_cast<std::int64_t>(buffer.size());
    buffer.clear();
  }

  /// Room for `size` more bytes at the end of the buffer.
  std::span<std::uint8_t> append(std::int64_t size) {
    const auto n = static_cast<std::size_t>(size);
    if (!buffer.empty() && buffer.size() + n > kBufferBytes) flush();
    buffer.resize(buffer.size() + n);
    return std::span(buffer).last(n);
  }

  void begin_session(const DcimgSettings& wanted) {
    settings = wanted;
    std::sort(settings.dropped_before.begin(), settings.dropped_before.end());
    layout = dcimg_layout(settings);
    written = 0;
    true_pixels.clear();
    session_at = flushed;
    store(session_at, dcimg::session_header(settings, layout, dcimg::Progress::unfinished));
    flushed += layout.data_offset;
  }

  void end_session() {
    if (written != settings.frames)
      throw Error(fmt::format("{} has {} frames of the {} it was to have; write all of them", path.string(),
                              written, settings.frames));
    flush();
    if (settings.tail && settings.version == DcimgVersion::v7)
      store(flushed, dcimg::packed_tail(settings, layout, true_pixels));
    flushed = session_at + layout.session_bytes();  // the tail of the framed versions is zeros
    store(session_at, dcimg::session_header(settings, layout, dcimg::Progress::finished));
    earlier_frames += settings.frames;
    ++sessions;
  }

  void copy_pixels(ImageView<const std::uint16_t> frame, std::span<std::uint8_t> image) const;
  void overwrite_pixels(std::span<std::uint8_t> image, std::span<std::uint8_t, 8> true_values) const;
  void fill_footer(std::span<std::uint8_t> footer, std::span<const std::uint8_t, 8> true_values) const;
  void check_room(std::int64_t count) const;
  void check_frame(ImageView<const std::uint16_t> frame) const;
};

void DcimgWriter::State::copy_pixels(ImageView<const std::uint16_t> frame,
                                     std::span<std::uint8_t> image) const {
  if (settings.row_padding > 0) std::fill(image.begin(), image.end(), settings.padding_value);
  const auto lead =
      static_cast<std::size_t>(settings.padding_side == DcimgPadding::start ? settings.row_padding : 0);
  const auto columns = static_cast<std::size_t>(settings.columns);
  for (std::int64_t y = 0; y < settings.rows; ++y) {
    std::uint8_t* to = image.data() + static_cast<std::size_t>(y * layout.row_bytes) + lead;
    const std::uint16_t* from = frame.row(y);
    if (settings.type == PixelType::u16) {
      std::memcpy(to, from, columns * 2);
      continue;
    }
    for (std::size_t x = 0; x < columns; ++x) to[x] = static_cast<std::uint8_t>(from[x]);
  }
}

void DcimgWriter::State::overwrite_pixels(std::span<std::uint8_t> image,
                                          std::span<std::uint8_t, 8> true_values) const {
  if (layout.overwritten_at < 0) return;
  const auto place = image.subspan(static_cast<std::size_t>(layout.overwritten_at), 8);
  std::copy(place.begin(), place.end(), true_values.begin());
  std::copy(dcimg::kOverwritten.begin(), dcimg::kOverwritten.end(), place.begin());
}

void DcimgWriter::State::fill_footer(std::span<std::uint8_t> footer,
                                     std::span<const std::uint8_t, 8> true_values) const {
  if (footer.empty()) return;
  const dcimg::Stamp stamp = dcimg::stamp_of(settings, written);
  dcimg::put<std::uint32_t>(footer, 0, stamp.counter);
  dcimg::put<std::uint32_t>(footer, 4, stamp.seconds);
  dcimg::put<std::uint32_t>(footer, 8, stamp.microseconds);
  if (layout.overwritten_at >= 0) std::copy(true_values.begin(), true_values.end(), footer.begin() + 12);
}

void DcimgWriter::State::check_room(std::int64_t count) const {
  if (count < 0 || count > settings.frames - written)
    throw Error(fmt::format("{} has {} frames already and was to have {}; declare more frames", path.string(),
                            written, settings.frames));
}

void DcimgWriter::State::check_frame(ImageView<const std::uint16_t> frame) const {
  if (frame.rows != settings.rows || frame.columns != settings.columns)
    throw Error(fmt::format("frame {} of {} has {} rows of {} pixels; the file has {} of {}", written,
                            path.string(), frame.rows, frame.columns, settings.rows, settings.columns));
  if (settings.type == PixelType::u16) return;
  for (std::int64_t y = 0; y < frame.rows; ++y) {
    const std::uint16_t greatest = *std::max_element(frame.row(y), frame.row(y) + frame.columns);
    if (greatest > 0xFF)
      throw Error(fmt::format("frame {} of {} has the value {}, above the 255 of uint8; write uint16",
                              written, path.string(), greatest));
  }
}

DcimgWriter::DcimgWriter(const std::filesystem::path& path, const DcimgSettings& settings)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = path;
  s.first_settings = settings;
  s.first_layout = dcimg_layout(settings);
  s.fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (s.fd < 0) fail(path, "created", errno);
  s.store(0, dcimg::file_header(settings, s.first_layout, {}));
  s.flushed = s.first_layout.header_size;
  s.begin_session(settings);
}

DcimgWriter::~DcimgWriter() = default;

void DcimgWriter::write(ImageView<const std::uint16_t> frame) {
  State& s = *state_;
  s.check_room(1);
  s.check_frame(frame);
  std::array<std::uint8_t, 8> true_values{};
  const auto record = s.append(s.layout.stride);
  const auto image = record.first(static_cast<std::size_t>(s.layout.image_bytes));
  s.copy_pixels(frame, image);
  s.overwrite_pixels(image, true_values);
  s.fill_footer(record.subspan(image.size()), true_values);
  if (s.settings.version == DcimgVersion::v7 && s.layout.overwritten_at >= 0)
    s.true_pixels.insert(s.true_pixels.end(), true_values.begin(), true_values.end());
  ++s.written;
}

void DcimgWriter::skip(std::int64_t count) {
  State& s = *state_;
  s.check_room(count);
  s.flush();
  const std::array<std::uint8_t, 8> zeros{};
  dcimg::Bytes footer(static_cast<std::size_t>(s.layout.footer_size));
  for (std::int64_t i = 0; i < count; ++i) {
    if (s.layout.overwritten_at >= 0) s.store(s.flushed + s.layout.overwritten_at, dcimg::kOverwritten);
    s.fill_footer(footer, zeros);
    s.store(s.flushed + s.layout.image_bytes, footer);
    if (s.settings.version == DcimgVersion::v7 && s.layout.overwritten_at >= 0)
      s.true_pixels.insert(s.true_pixels.end(), zeros.begin(), zeros.end());
    s.flushed += s.layout.stride;
    ++s.written;
  }
}

void DcimgWriter::next_session(const DcimgSettings& settings) {
  State& s = *state_;
  if (settings.version != s.first_settings.version)
    throw Error(fmt::format("{} cannot hold sessions of two versions; write a second file", s.path.string()));
  s.end_session();
  s.begin_session(settings);
}

void DcimgWriter::close() {
  State& s = *state_;
  s.end_session();
  const std::int64_t bytes = s.flushed + (s.settings.tail ? dcimg::kTrailer : 0);
  if (::ftruncate(s.fd, bytes) != 0) fail(s.path, "completed", errno);
  s.store(0, dcimg::file_header(s.first_settings, s.first_layout, {s.sessions, s.earlier_frames, bytes}));
  if (::close(std::exchange(s.fd, -1)) != 0) fail(s.path, "closed", errno);
}

}  // namespace spim
