#include <fmt/format.h>

#include <algorithm>

#include "fields.hpp"
#include "session.hpp"

namespace spim::dcimg_reader {
namespace {

constexpr std::size_t kFooterBytes = 0x30;  // up to the size of its index
constexpr std::size_t kSecondBytes = 0x70;  // the structure that points at the tables
constexpr std::uint64_t kTruePixelBytes = 8;

/// Where the tables of a v7 file must lie.
struct Extent {
  std::int64_t begin;   // of the footer
  std::uint64_t bytes;  // of it, as far as the file goes
};

/// The table at `offset` of the footer with `each` bytes for every declared frame; absent when it does not
/// fit.
FrameTable table(const Extent& extent, std::uint64_t offset, std::uint64_t each, std::int64_t frames) {
  const std::uint64_t bytes = each * static_cast<std::uint64_t>(frames);  // < 2^35
  if (offset == 0 || offset > extent.bytes || bytes > extent.bytes - offset) return {};
  return {extent.begin + static_cast<std::int64_t>(offset), static_cast<std::int64_t>(each)};
}

void find_overwritten(const PositionalFile& file, Host& host, Session& s, const Extent& extent,
                      const Fields<kSecondBytes>& second) {
  const std::uint64_t each = second.u64(0x68);
  if (each == 0) return;
  if (each == kTruePixelBytes) s.overwritten = overwritten_at(s, second.u32(0x64));
  if (s.overwritten) {
    s.overwritten->true_values = table(extent, second.u64(0x58), each, s.declared);
    if (!s.overwritten->true_values.present()) s.overwritten.reset();
  }
  if (!s.overwritten)
    host.log(LogLevel::warning,
             fmt::format("{} keeps {} bytes per frame for pixels that the camera overwrote at byte {} "
                         "of each frame, which cannot be used; those pixels stay as they are",
                         file.path(), each, second.u32(0x64)));
}

}  // namespace

void read_packed_footer(const PositionalFile& file, Host& host, Session& s, std::uint64_t footer_offset) {
  const auto without = [&](std::string_view why) {
    host.log(LogLevel::warning,
             fmt::format("{}: {}; counters, time stamps and the true values of overwritten pixels are "
                         "lost",
                         file.path(), why));
  };
  const auto room = static_cast<std::uint64_t>(file.size() - s.begin);
  if (footer_offset >= room) return without("the file ends before its footer");
  Extent extent{s.begin + static_cast<std::int64_t>(footer_offset), room - footer_offset};
  const Fields<kFooterBytes> footer(file, extent.begin, "the footer");
  if (!footer.complete()) return without("the file ends in its footer");
  if (footer.u32(0) != kVersion7) return without("no footer is where the header says");
  extent.bytes = std::min<std::uint64_t>(extent.bytes, footer.u32(0x28));
  const std::uint64_t at = footer.u64(0x08);
  if (at > extent.bytes || kSecondBytes > extent.bytes - at) return without("the file ends in its footer");
  const Fields<kSecondBytes> second(file, extent.begin + static_cast<std::int64_t>(at), "the footer");
  if (!second.complete()) return without("the file ends in its footer");
  s.counters = table(extent, second.u64(0x30), 4, s.declared);
  s.times = table(extent, second.u64(0x40), 8, s.declared);
  if (!s.counters.present() || !s.times.present())
    host.log(LogLevel::warning,
             fmt::format("{} has no usable {} in its footer; dropped frames cannot be noticed", file.path(),
                         s.counters.present() ? "time stamps" : "frame counters"));
  find_overwritten(file, host, s, extent, second);
}

}  // namespace spim::dcimg_reader
