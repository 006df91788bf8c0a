#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "fields.hpp"
#include "overwritten.hpp"
#include "session.hpp"

namespace spim::dcimg_reader {
namespace {

constexpr std::int64_t kTable = 0xF0;   // from the session header
constexpr std::int64_t kOrigin = 0xA0;  // block offsets count from here
constexpr std::size_t kMostBlocks = 32;
constexpr std::size_t kEntryBytes = 16;
constexpr std::size_t kCameraBytes = 248;
constexpr std::uint32_t kOverwriteKind = 4;
constexpr std::size_t kOverwriteBytes = 20;   // of that block, as far as its meaning is known
constexpr std::int64_t kTruePixels = 12;      // in a frame's footer
constexpr std::int64_t kLastUpperRow = 1023;  // of the sensor: the camera overwrites pixels of this row
constexpr std::int64_t kMostSensorRows = 65536;

struct Block {
  std::uint32_t kind;
  std::int64_t size, at;  // at: from the start of the file
};

/// The blocks that the session header lists; none when the list makes no sense. It ends where the first
/// begins.
std::vector<Block> list_blocks(const PositionalFile& file, const Session& s) {
  const Fields<kMostBlocks * kEntryBytes> table(file, s.begin + kTable, "the table of blocks");
  const std::int64_t room = s.data - s.begin;
  std::vector<Block> blocks;
  std::int64_t end = kTable + static_cast<std::int64_t>(kEntryBytes);  // of the table; known after one entry
  for (std::size_t i = 0; i < kMostBlocks; ++i) {
    const std::size_t entry = i * kEntryBytes;
    if (kTable + static_cast<std::int64_t>(entry + kEntryBytes) > end) return blocks;
    const std::int64_t size = table.u32(entry + 4);
    const std::uint64_t offset = table.u64(entry + 8);
    if (offset > static_cast<std::uint64_t>(room)) return {};
    const std::int64_t at = kOrigin + static_cast<std::int64_t>(offset);
    if (i == 0) end = at;
    if (at < end || at < kTable + static_cast<std::int64_t>(kEntryBytes) || at + size > room) return {};
    blocks.push_back({table.u32(entry), size, s.begin + at});
  }
  return end <= kTable + static_cast<std::int64_t>(kMostBlocks * kEntryBytes) ? blocks : std::vector<Block>{};
}

void read_camera(const PositionalFile& file, const Block& block, Session& s) {
  const Fields<kCameraBytes> b(file, block.at, "the camera block");
  Camera& c = s.camera;
  c.model = b.text(0x40, 64);
  c.serial = b.text(0x90, 32);
  c.x = b.u16(0xC8);
  c.width = b.u16(0xCA);
  c.y = b.u16(0xCC);
  c.height = b.u16(0xCE);
  const std::int64_t binning = c.width / s.columns;
  if (binning > 0 && binning * s.columns == c.width && binning * s.rows == c.height) c.binning = binning;
}

/// The start of row `row`, where the true values are trusted only for frames that hold the pattern there.
std::optional<OverwrittenPixels> start_of_row(const Session& s, std::int64_t row) {
  if (row < 0 || row >= s.rows) return std::nullopt;
  auto place = overwritten_at(s, static_cast<std::uint64_t>(row * s.row_bytes + s.lead));
  if (place) place->evidence = Evidence::pattern;
  return place;
}

bool holds_pattern(const PositionalFile& file, const Session& s, std::int64_t frame, std::int64_t row) {
  const Fields<kOverwrittenPattern.size()> bytes(file, s.frame_at(frame) + row * s.row_bytes + s.lead,
                                                 "a frame");
  return bytes.complete() && bytes.begins_with({reinterpret_cast<const char*>(kOverwrittenPattern.data()),
                                                kOverwrittenPattern.size()});
}

/// A file without a camera block does not tell its place on the sensor: the row is the only one of the first
/// frame that begins with the pattern, if the last frame has it there too.
std::optional<OverwrittenPixels> search_rows(const PositionalFile& file, const Session& s) {
  if (s.frames == 0 || s.rows > kMostSensorRows) return std::nullopt;
  std::optional<std::int64_t> found;
  for (std::int64_t row = 0; row < s.rows; ++row) {
    if (!holds_pattern(file, s, 0, row)) continue;
    if (found) return std::nullopt;
    found = row;
  }
  if (!found || !holds_pattern(file, s, s.frames - 1, *found)) return std::nullopt;
  return start_of_row(s, *found);
}

std::optional<OverwrittenPixels> usual_place(const PositionalFile& file, const Session& s) {
  if (s.version == kVersion2) return start_of_row(s, 0);
  if (s.camera.width == 0) return search_rows(file, s);
  if (s.camera.binning == 0 || s.camera.y > kLastUpperRow) return std::nullopt;
  return start_of_row(s, (kLastUpperRow - s.camera.y) / s.camera.binning);
}

std::optional<OverwrittenPixels> declared_place(const PositionalFile& file, Host& host, const Session& s,
                                                const Block& block) {
  const Fields<kOverwriteBytes> b(file, block.at, "the table of blocks");
  std::optional<OverwrittenPixels> place;
  if (block.size >= static_cast<std::int64_t>(kOverwriteBytes) && b.u32(12) == kOverwrittenPattern.size())
    place = overwritten_at(s, b.u32(16));
  if (!place || s.footer < kTruePixels + static_cast<std::int64_t>(kOverwrittenPattern.size())) {
    host.log(LogLevel::warning,
             fmt::format("{} keeps {} bytes in each frame's footer of {} for pixels that the camera "
                         "overwrote at byte {}, which cannot be used; those pixels stay as they are",
                         file.path(), b.u32(12), s.footer, b.u32(16)));
    return std::nullopt;
  }
  return place;
}

}  // namespace

void read_framed_blocks(const PositionalFile& file, Host& host, Session& s) {
  const std::int64_t footers = s.data + s.image_bytes;
  s.counters = {footers, s.stride};
  s.times = {footers + 4, s.stride};
  const std::vector<Block> blocks = list_blocks(file, s);
  const auto of_size = [](const Block& b) { return b.size == static_cast<std::int64_t>(kCameraBytes); };
  const auto camera = std::find_if(blocks.rbegin(), blocks.rend(), of_size);  // it is the last in real files
  if (camera != blocks.rend()) read_camera(file, *camera, s);
  const auto of_kind = [](const Block& b) { return b.kind == kOverwriteKind; };
  const auto declared = std::find_if(blocks.begin(), blocks.end(), of_kind);
  if (declared != blocks.end())
    s.overwritten = declared_place(file, host, s, *declared);
  else if (s.footer >= kTruePixels + static_cast<std::int64_t>(kOverwrittenPattern.size()))
    s.overwritten = usual_place(file, s);
  if (s.overwritten) s.overwritten->true_values = {footers + kTruePixels, s.stride};
}

}  // namespace spim::dcimg_reader
