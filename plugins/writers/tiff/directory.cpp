#include "directory.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "spim/error.hpp"

namespace spim::tiff {

namespace {

constexpr std::uint16_t kAscii = 2, kShort = 3, kLong = 4, kRational = 5, kIfd = 13, kLong8 = 16, kIfd8 = 18;

constexpr std::uint64_t even(std::uint64_t n) noexcept {
  return n + n % 2;
}

}  // namespace

void append_number(std::vector<std::byte>& to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

void Directory::add(Tag tag, std::uint16_t type, std::uint64_t count, std::vector<std::byte> bytes) {
  const auto place = std::upper_bound(entries_.begin(), entries_.end(), tag,
                                      [](Tag wanted, const Entry& entry) { return wanted < entry.tag; });
  entries_.insert(place, {tag, type, count, std::move(bytes)});
}

void Directory::add_short(Tag tag, std::uint16_t value) {
  std::vector<std::byte> bytes;
  append_number(bytes, value, 2);
  add(tag, kShort, 1, std::move(bytes));
}

void Directory::add_long(Tag tag, std::uint32_t value) {
  std::vector<std::byte> bytes;
  append_number(bytes, value, 4);
  add(tag, kLong, 1, std::move(bytes));
}

void Directory::add_text(Tag tag, std::string_view text) {
  std::vector<std::byte> bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  bytes.push_back(std::byte{0});
  const std::uint64_t count = bytes.size();
  add(tag, kAscii, count, std::move(bytes));
}

void Directory::add_rational(Tag tag, double value) {
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  double denominator = 1;
  while (value * denominator * 10 < kMost && denominator * 10 < kMost) denominator *= 10;
  std::vector<std::byte> bytes;
  append_number(bytes, static_cast<std::uint64_t>(std::round(value * denominator)), 4);
  append_number(bytes, static_cast<std::uint64_t>(denominator), 4);
  add(tag, kRational, 1, std::move(bytes));
}

void Directory::add_words(Tag tag, std::uint16_t type, std::span<const std::uint64_t> values) {
  std::vector<std::byte> bytes;
  bytes.reserve(values.size() * inline_bytes());
  for (const std::uint64_t value : values) {
    if (variant_ == Variant::classic && value > std::numeric_limits<std::uint32_t>::max())
      throw Error("the file has grown beyond the 4 GiB of a classic TIFF");
    append_number(bytes, value, inline_bytes());
  }
  add(tag, type, values.size(), std::move(bytes));
}

void Directory::add_offsets(Tag tag, std::span<const std::uint64_t> values) {
  add_words(tag, variant_ == Variant::big ? kLong8 : kLong, values);
}

void Directory::add_directories(Tag tag, std::span<const std::uint64_t> places) {
  add_words(tag, variant_ == Variant::big ? kIfd8 : kIfd, places);
}

std::uint64_t Directory::table_bytes() const noexcept {
  return variant_ == Variant::big ? 8 + entries_.size() * 20 + 8 : 2 + entries_.size() * 12 + 4;
}

std::uint64_t Directory::size() const {
  std::uint64_t bytes = even(table_bytes());
  for (const Entry& entry : entries_)
    if (entry.bytes.size() > inline_bytes()) bytes += even(entry.bytes.size());
  return bytes;
}

void Directory::encode(std::uint64_t place, std::uint64_t next, std::vector<std::byte>& to) const {
  const std::size_t word = inline_bytes();
  append_number(to, entries_.size(), variant_ == Variant::big ? 8 : 2);
  std::uint64_t behind = place + even(table_bytes());
  for (const Entry& entry : entries_) {
    append_number(to, static_cast<std::uint64_t>(entry.tag), 2);
    append_number(to, entry.type, 2);
    append_number(to, entry.count, word);
    if (entry.bytes.size() <= word) {
      to.insert(to.end(), entry.bytes.begin(), entry.bytes.end());
      append_number(to, 0, word - entry.bytes.size());
    } else {
      append_number(to, behind, word);
      behind += even(entry.bytes.size());
    }
  }
  append_number(to, next, word);
  if (table_bytes() % 2 != 0) to.push_back(std::byte{0});
  for (const Entry& entry : entries_)
    if (entry.bytes.size() > word) {
      to.insert(to.end(), entry.bytes.begin(), entry.bytes.end());
      if (entry.bytes.size() % 2 != 0) to.push_back(std::byte{0});
    }
  if (variant_ == Variant::classic && behind > std::numeric_limits<std::uint32_t>::max())
    throw Error("the file has grown beyond the 4 GiB of a classic TIFF");
}

}  // namespace spim::tiff
