#include "container.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "bytes.hpp"
#include "common/subject.hpp"
#include "spim/error.hpp"

namespace spim::jp2 {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kSignature = 0x0D0A870A;
constexpr std::size_t kSignatureBytes = 12;
/// Image header, colour and resolution take a few hundred bytes; a colour profile some kilobytes.
constexpr std::uint64_t kLargestHeaderBox = 16 << 20;
constexpr int kMostBoxes = 10'000;

/// A box: its content lies at [begin, end).
struct Box {
  std::uint32_t type = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The box at `at` of what ends at `limit`; `look` reads the first bytes of it.
template <class Look>
Box box_at(std::uint64_t at, std::uint64_t limit, const Look& look) {
  constexpr std::uint64_t kShort = 8, kLong = 16;
  if (limit - at < kShort) throw Error("ends within the header of a box; copy the file again");
  const auto head = look(at, std::min(limit - at, kLong));
  std::uint64_t length = u32(head, 0), header = kShort;
  if (length == 1) {
    if (head.size() < kLong) throw Error("ends within the header of a box; copy the file again");
    length = number(head, 8, 8);
    header = kLong;
  } else if (length == 0) {
    length = limit - at;
  }
  if (length < header) throw Error(fmt::format("has a box of {} bytes; copy the file again", length));
  if (length > limit - at)
    throw Error(fmt::format(
        "is cut short or still being written: {} of {} bytes of a box are there; copy the file again",
        limit - at, length));
  return {u32(head, 4), at + header, at + length};
}

/// Content of the box `resc` or `resd`: vertical and horizontal points per metre as fractions and powers
/// of 10.
Pitch read_resolution(Bytes content) {
  if (content.size() < 10) return {};
  const auto pitch = [&](std::size_t fraction, std::size_t exponent) {
    const auto power = static_cast<std::int8_t>(std::to_integer<int>(content[exponent]));
    const double points =
        u16(content, fraction + 2) == 0
            ? 0
            : static_cast<double>(u16(content, fraction)) / u16(content, fraction + 2) * std::pow(10, power);
    return points > 0 && std::isfinite(1e6 / points) ? 1e6 / points : 0;
  };
  return {pitch(0, 8), pitch(4, 9)};
}

/// Calls visit(type, content) for each box in `content`.
template <class Visit>
void for_each_box(Bytes content, const Visit& visit) {
  const auto look = [&](std::uint64_t at, std::uint64_t size) { return content.subspan(at, size); };
  for (std::uint64_t at = 0; at < content.size();) {
    const Box box = box_at(at, content.size(), look);
    visit(box.type, content.subspan(box.begin, box.end - box.begin));
    at = box.end;
  }
}

/// Takes from the boxes of the header what concerns a grey image.
void read_header_boxes(Bytes content, PlaneFile& plane) {
  for_each_box(content, [&](std::uint32_t type, Bytes inside) {
    if (type == tag("pclr"))
      throw Error("has a palette of colours; only grey images are read, convert it first");
    if (type != tag("res ")) return;
    // The resolution of the capture, or else the one to display with.
    for_each_box(inside, [&](std::uint32_t kind, Bytes values) {
      if (kind == tag("resc") || (kind == tag("resd") && plane.pitch.row_um == 0))
        plane.pitch = read_resolution(values);
    });
  });
}

/// Finds the codestream in the boxes of a JP2 file.
void read_boxes(const chunked::File& file, std::uint64_t size, PlaneFile& plane) {
  std::vector<std::byte> buffer;
  const auto look = [&](std::uint64_t at, std::uint64_t count) {
    buffer.resize(count);
    file.read(at, buffer);
    return Bytes(buffer);
  };
  std::uint64_t at = 0;
  for (int i = 0; i < kMostBoxes && at < size; ++i) {
    const Box box = box_at(at, size, look);
    if (box.type == tag("jp2c")) {
      plane.begin = static_cast<std::int64_t>(box.begin);
      plane.end = static_cast<std::int64_t>(box.end);
      return;
    }
    if (box.type == tag("jp2h")) {
      if (box.end - box.begin > kLargestHeaderBox)
        throw Error("has an absurdly large header; copy the file again");
      (void)look(box.begin, box.end - box.begin);
      read_header_boxes(std::vector<std::byte>(buffer), plane);
    }
    at = box.end;
  }
  throw Error(
      "holds no codestream: it is cut short, still being written or not an image; copy the file again");
}

PlaneFile read_checked(const chunked::File& file) {
  const std::uint64_t size = file.size();
  std::vector<std::byte> bytes(std::min<std::uint64_t>(size, kSignatureBytes));
  file.read(0, bytes);
  const int known = recognise(bytes);
  if (known == 0)
    throw Error(size == 0 ? "is empty; it is still being written or was lost" : "is not a JPEG 2000 file");
  PlaneFile plane;
  plane.end = static_cast<std::int64_t>(size);
  if (!starts_codestream(bytes)) read_boxes(file, size, plane);
  const auto length = static_cast<std::uint64_t>(plane.end - plane.begin);
  // Nearly all headers are short; a long comment takes a second look.
  constexpr std::uint64_t kFirstLook = 1024;
  for (const std::uint64_t most : {kFirstLook, std::uint64_t{kHeaderBytes}}) {
    bytes.resize(std::min(length, most));
    file.read(static_cast<std::uint64_t>(plane.begin), bytes);
    try {
      plane.image = read_codestream_header(bytes);
      break;
    } catch (const Error&) {
      if (bytes.size() == length || most == kHeaderBytes) throw;
    }
  }
  std::byte last[2];
  file.read(static_cast<std::uint64_t>(plane.end) - 2, last);
  if (u16(last, 0) != 0xFFD9)
    throw Error("is cut short or still being written: it does not end as an image does; copy the file again");
  return plane;
}

/// Whether a pitch in micrometres is known and of a size that 16-bit fractions and their exponents can say.
bool sayable(double pitch_um) {
  return pitch_um > 1e-9 && pitch_um < 1e9;
}

/// `value` = numerator / denominator · 10^exponent, as close as 16 bits allow.
struct Fraction {
  std::uint16_t numerator = 0, denominator = 1;
  std::int8_t exponent = 0;
};

Fraction fraction_of(double value) {
  const double exponent = std::floor(std::log10(value));
  const double mantissa = value / std::pow(10, exponent);
  // Convergents of the continued fraction, the best approximations there are.
  double rest = mantissa;
  double n0 = 1, n1 = std::floor(rest), d0 = 0, d1 = 1;
  while (rest - std::floor(rest) > 1e-9) {
    rest = 1 / (rest - std::floor(rest));
    const double n = std::floor(rest) * n1 + n0, d = std::floor(rest) * d1 + d0;
    if (n > UINT16_MAX || d > UINT16_MAX) break;
    n0 = std::exchange(n1, n);
    d0 = std::exchange(d1, d);
  }
  return {static_cast<std::uint16_t>(n1), static_cast<std::uint16_t>(d1), static_cast<std::int8_t>(exponent)};
}

void append_resolution(std::vector<std::byte>& head, const Pitch& pitch) {
  const Fraction vertical = fraction_of(1e6 / pitch.row_um), horizontal = fraction_of(1e6 / pitch.column_um);
  append(head, 26, 4);
  append(head, tag("res "), 4);
  append(head, 18, 4);
  append(head, tag("resc"), 4);
  for (const Fraction& f : {vertical, horizontal}) {
    append(head, f.numerator, 2);
    append(head, f.denominator, 2);
  }
  for (const Fraction& f : {vertical, horizontal}) append(head, static_cast<std::uint8_t>(f.exponent), 1);
}

}  // namespace

int recognise(Bytes head) noexcept {
  if (head.size() >= kSignatureBytes && u32(head, 0) == kSignatureBytes && u32(head, 4) == tag("jP  ") &&
      u32(head, 8) == kSignature)
    return 100;
  return starts_codestream(head) ? 90 : 0;
}

PlaneFile read_plane_file(const chunked::File& file) {
  return chunked::with_subject([&] { return file.path().string(); }, [&] { return read_checked(file); });
}

std::vector<std::byte> container_head(std::int64_t rows, std::int64_t columns, PixelType type,
                                      const Pitch& pitch) {
  std::vector<std::byte> head;
  append(head, kSignatureBytes, 4);
  append(head, tag("jP  "), 4);
  append(head, kSignature, 4);
  append(head, 20, 4);
  append(head, tag("ftyp"), 4);
  append(head, tag("jp2 "), 4);
  append(head, 0, 4);
  append(head, tag("jp2 "), 4);
  const bool resolution = sayable(pitch.row_um) && sayable(pitch.column_um);
  append(head, 8 + 22 + 15 + (resolution ? 26 : 0), 4);
  append(head, tag("jp2h"), 4);
  append(head, 22, 4);
  append(head, tag("ihdr"), 4);
  append(head, static_cast<std::uint64_t>(rows), 4);
  append(head, static_cast<std::uint64_t>(columns), 4);
  append(head, 1, 2);                                                         // components
  append(head, static_cast<std::uint64_t>(8 * spim::bytes_of(type) - 1), 1);  // bits of a sample - 1
  append(head, 7, 1);                                                         // compressed as JPEG 2000
  append(head, 0, 2);                                                         // colours known, no rights
  append(head, 15, 4);
  append(head, tag("colr"), 4);
  append(head, 1, 1);
  append(head, 0, 2);
  append(head, 17, 4);  // grey
  if (resolution) append_resolution(head, pitch);
  append(head, 0, 4);
  append(head, tag("jp2c"), 4);
  return head;
}

void patch_length(const chunked::File& file, std::size_t head_size, std::uint64_t codestream_size) {
  if (codestream_size + 8 > UINT32_MAX) return;
  std::vector<std::byte> length;
  append(length, codestream_size + 8, 4);
  file.write(head_size - 8, length);
}

}  // namespace spim::jp2
