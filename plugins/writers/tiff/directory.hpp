#pragma once
/// One image file directory (IFD): the tags of a page, and their bytes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tiff_format.hpp"

namespace spim::tiff {

/// Little-endian, as everything that is written here.
class Directory {
 public:
  explicit Directory(Variant variant) : variant_(variant) {}

  void add_short(Tag tag, std::uint16_t value);
  void add_long(Tag tag, std::uint32_t value);
  void add_text(Tag tag, std::string_view text);
  /// The nearest fraction of 32-bit numbers; 0 < value < 2^31.
  void add_rational(Tag tag, double value);
  /// Offsets or lengths: 32 bits in classic files, where they must fit, else 64.
  void add_offsets(Tag tag, std::span<const std::uint64_t> values);
  /// Places of further directories.
  void add_directories(Tag tag, std::span<const std::uint64_t> places);

  /// Bytes of the directory and of the values behind it; even.
  std::uint64_t size() const;
  /// Appends them to `to` for a directory at `place` (even) that is followed by the one at `next` (0: none).
  void encode(std::uint64_t place, std::uint64_t next, std::vector<std::byte>& to) const;

 private:
  struct Entry {
    Tag tag;
    std::uint16_t type = 0;
    std::uint64_t count = 0;
    std::vector<std::byte> bytes;
  };

  void add(Tag tag, std::uint16_t type, std::uint64_t count, std::vector<std::byte> bytes);
  void add_words(Tag tag, std::uint16_t type, std::span<const std::uint64_t> values);
  std::size_t inline_bytes() const noexcept { return variant_ == Variant::big ? 8 : 4; }
  std::uint64_t table_bytes() const noexcept;

  Variant variant_;
  std::vector<Entry> entries_;  ///< rising by tag
};

/// Appends `value` in `bytes` bytes.
void append_number(std::vector<std::byte>& to, std::uint64_t value, std::size_t bytes);

}  // namespace spim::tiff
