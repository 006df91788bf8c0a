#include "raw_camera.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace raw_camera {
namespace {

constexpr char kMagic[8] = {'R', 'A', 'W', 'C', 'A', 'M', '0', '1'};
constexpr std::int64_t kFileHeader = 64;
constexpr std::int64_t kFrameHeader = 16;
constexpr std::int64_t kMaxSide = 65536;  // keeps every product below far from 2^63

/// A little-endian number at `bytes`; the machine is little-endian, as x86-64 always is.
template <class T>
T number_at(const unsigned char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

File::File(std::string_view path) : path_(path), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw spim::Error(path_ + " cannot be opened: " + std::strerror(errno));
}

File::~File() {
  ::close(descriptor_);
}

std::int64_t File::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw spim::Error(path_ + " has no size: " + std::strerror(errno));
  return status.st_size;
}

void File::read(std::int64_t offset, void* to, std::int64_t bytes) const {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const auto got = ::pread(descriptor_, at, static_cast<std::size_t>(bytes), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw spim::Error(path_ + " cannot be read: " + std::strerror(errno));
    if (got == 0)
      throw spim::Error(path_ + " ends " + std::to_string(bytes) + " bytes too early; copy it again");
    at += got;
    offset += got;
    bytes -= got;
  }
}

Reader::Reader(spim::Host& host, const spim::Options& options, std::string_view path)
    : file_(path),
      swap_bytes_(options.text("byte-order") == "big"),
      subtract_(static_cast<std::uint16_t>(options.integer("subtract"))) {
  read_header();
  if (info_.frames < info_.declared)
    host.log(spim::LogLevel::debug, file_.path() + " holds " + std::to_string(info_.frames) +
                                        " whole frames of " + std::to_string(info_.declared));
}

int Reader::probe(const char*, const unsigned char* head, std::uint64_t head_size) noexcept {
  return head_size >= sizeof kMagic && std::memcmp(head, kMagic, sizeof kMagic) == 0 ? 100 : 0;
}

// Nothing in the header is believed before it is checked: the numbers decide where later reads go.
void Reader::read_header() {
  const std::int64_t size = file_.size();
  if (size < kFileHeader)
    throw spim::Error(file_.path() + " is too short for a raw camera dump: " + std::to_string(size) + " of " +
                      std::to_string(kFileHeader) + " header bytes; copy it again");
  unsigned char header[kFileHeader];
  file_.read(0, header, kFileHeader);
  if (std::memcmp(header, kMagic, sizeof kMagic) != 0)
    throw spim::Error(file_.path() + " is not a raw camera dump: it does not start with RAWCAM01");

  info_.columns = number_at<std::uint32_t>(header + 8);
  info_.rows = number_at<std::uint32_t>(header + 12);
  if (info_.columns < 1 || info_.rows < 1 || info_.columns > kMaxSide || info_.rows > kMaxSide)
    throw spim::Error(file_.path() + " has frames of " + std::to_string(info_.columns) + "x" +
                      std::to_string(info_.rows) + " pixels; 1 to " + std::to_string(kMaxSide) +
                      " per side are possible, so its header is damaged");
  const auto bits = number_at<std::uint32_t>(header + 16);
  if (bits != 8 && bits != 16)
    throw spim::Error(file_.path() + " has " + std::to_string(bits) +
                      "-bit samples; only 8 and 16 can be read");
  info_.type = bits == 8 ? spim::PixelType::u8 : spim::PixelType::u16;
  info_.declared = number_at<std::uint32_t>(header + 20);

  frame_pitch_ = kFrameHeader + info_.rows * info_.columns * spim::bytes_of(info_.type);
  // A file that was cut off is told from a whole one by frames < declared: the host refuses it, or stops at
  // the last whole frame when the user says so.
  info_.frames = std::min(info_.declared, (size - kFileHeader) / frame_pitch_);
}

// Called from many threads at once (the plugin declares itself reentrant): nothing here changes the object.
void Reader::read(std::int64_t frame, std::int64_t first_row, spim::ImageView<std::uint16_t> out) {
  const std::int64_t row_bytes = info_.columns * spim::bytes_of(info_.type);
  const std::int64_t offset = kFileHeader + frame * frame_pitch_ + kFrameHeader + first_row * row_bytes;
  if (out.row_stride == out.columns) {  // one request for the whole block
    read_samples(offset, out.data, out.rows * out.columns);
    return;
  }
  for (std::int64_t i = 0; i < out.rows; ++i) read_samples(offset + i * row_bytes, out.row(i), out.columns);
}

void Reader::read_samples(std::int64_t offset, std::uint16_t* to, std::int64_t count) const {
  if (info_.type == spim::PixelType::u8) {
    std::vector<unsigned char> bytes(static_cast<std::size_t>(count));
    file_.read(offset, bytes.data(), count);
    std::copy(bytes.begin(), bytes.end(), to);
  } else {
    file_.read(offset, to, count * 2);
    if (swap_bytes_)
      std::transform(to, to + count, to,
                     [](std::uint16_t v) { return static_cast<std::uint16_t>(v << 8 | v >> 8); });
  }
  if (subtract_ > 0)
    std::transform(to, to + count, to, [this](std::uint16_t v) {
      return static_cast<std::uint16_t>(v - std::min(v, subtract_));
    });
}

spim::FrameStamp Reader::stamp(std::int64_t frame) {
  unsigned char bytes[kFrameHeader];
  file_.read(kFileHeader + frame * frame_pitch_, bytes, kFrameHeader);
  return {.has_counter = true,
          .has_time = true,
          .counter = number_at<std::uint32_t>(bytes + 8),
          .microseconds = number_at<std::int64_t>(bytes)};
}

void Reader::describe(spim::MetadataSink& sink) {
  sink.text("format", "raw camera dump");
  sink.integer("bytes per frame", frame_pitch_);
}

}  // namespace raw_camera
