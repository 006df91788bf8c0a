// The suite of frame readers.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>

#include "conformance_suite.hpp"

namespace spim {
namespace {

namespace fs = std::filesystem;

/// Rows [first, first + rows) of a frame, read through a view with padding behind each row.
std::vector<std::uint16_t> read_rows(FrameReader& reader, std::int64_t frame, std::int64_t first,
                                     std::int64_t rows) {
  constexpr std::int64_t kPadding = 5;
  constexpr std::uint16_t kSentinel = 0xA5C3;
  const std::int64_t columns = reader.info().columns;
  const std::int64_t stride = columns + kPadding;
  std::vector<std::uint16_t> padded(static_cast<std::size_t>(rows * stride), kSentinel);
  reader.read(frame, first, {padded.data(), rows, columns, stride});
  std::vector<std::uint16_t> result;
  result.reserve(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto row = padded.begin() + r * stride;
    result.insert(result.end(), row, row + columns);
    if (std::any_of(row + columns, row + stride, [](std::uint16_t v) { return v != kSentinel; }))
      throw Error(fmt::format("reading row {} of frame {} writes behind its {} columns; respect row_stride",
                              first + r, frame, columns));
  }
  return result;
}

/// First, middle and last frame.
std::vector<std::int64_t> some_frames(const StackInfo& info) {
  std::vector<std::int64_t> frames = {0, info.frames / 2, info.frames - 1};
  frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
  return frames;
}

/// A range of rows of a frame.
struct RowRange {
  std::int64_t frame, first, rows;
};

/// Ranges of all positions and sizes, the same in each run.
std::vector<RowRange> some_ranges(const StackInfo& info) {
  constexpr std::uint64_t kRandomRanges = 12;
  std::vector<RowRange> ranges;
  for (const std::int64_t frame : some_frames(info)) {
    ranges.push_back({frame, 0, 1});
    ranges.push_back({frame, info.rows - 1, 1});
    ranges.push_back({frame, 0, info.rows});
    for (std::uint64_t i = 0; i < kRandomRanges; ++i) {
      const auto first = static_cast<std::int64_t>(scramble(i) % static_cast<std::uint64_t>(info.rows));
      const auto rows =
          1 + static_cast<std::int64_t>(scramble(i + 100) % static_cast<std::uint64_t>(info.rows - first));
      ranges.push_back({frame, first, rows});
    }
  }
  return ranges;
}

using Frames = std::map<std::int64_t, std::vector<std::uint16_t>>;

Frames whole_frames(FrameReader& reader) {
  Frames frames;
  for (const std::int64_t frame : some_frames(reader.info()))
    frames[frame] = read_rows(reader, frame, 0, reader.info().rows);
  return frames;
}

void expect_rows(const Frames& frames, const RowRange& range, const std::vector<std::uint16_t>& rows,
                 std::int64_t columns) {
  const auto& frame = frames.at(range.frame);
  if (!std::equal(rows.begin(), rows.end(), frame.begin() + range.first * columns))
    throw Error(fmt::format("rows {} to {} of frame {} differ from the same rows of the whole frame",
                            range.first, range.first + range.rows - 1, range.frame));
}

/// Opens `path` with the reader under test and, if it is taken, reads a frame.
void open_and_read(ConformanceSuite& suite, const fs::path& path) {
  const auto reader = open_frames(suite.registry(), suite.host(), suite.selection(), path);
  const StackInfo info = reader->info();
  constexpr std::int64_t kMostRows = 64;  // noise may be taken for a huge frame
  if (info.frames > 0) (void)read_rows(*reader, info.frames - 1, 0, std::min(info.rows, kMostRows));
}

/// Copies of the sample that are cut off, or damaged near their beginning, open or are refused, in words.
void check_damaged_samples(ConformanceSuite& suite) {
  constexpr std::size_t kMostBytes = 16 << 20;
  constexpr std::uint64_t kDamages = 40;
  std::vector<unsigned char> bytes(
      std::min<std::uintmax_t>(kMostBytes, fs::file_size(suite.settings().sample)));
  std::ifstream(suite.settings().sample, std::ios::binary)
      .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const auto survive = [&](const std::vector<unsigned char>& damaged) {
    const fs::path path = suite.write_file("damaged", damaged);
    try {
      open_and_read(suite, path);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& e) {
      if (std::string_view(e.what()).find(kForeignException) != std::string_view::npos) throw;
    }
    fs::remove(path);
  };
  for (const std::size_t size : {std::size_t{1}, std::size_t{16}, std::size_t{300}, std::size_t{4096},
                                 bytes.size() / 2, bytes.size() - std::min<std::size_t>(bytes.size(), 1)})
    if (size < bytes.size()) survive({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
  for (std::uint64_t i = 0; i < kDamages; ++i) {
    std::vector<unsigned char> damaged(bytes);
    for (std::uint64_t edit = 0; edit < 4; ++edit)
      damaged[scramble(4 * i + edit) % std::min<std::size_t>(damaged.size(), 4096)] =
          static_cast<unsigned char>(scramble(i + edit + 1000));
    survive(damaged);
  }
}

void check_pixels(ConformanceSuite& suite, FrameReader& reader) {
  const StackInfo info = reader.info();
  Frames frames;
  suite.check("reads whole frames", [&] { frames = whole_frames(reader); });
  if (frames.empty()) return;
  suite.check("reads ranges of rows as parts of the frame", [&] {
    for (const RowRange& range : some_ranges(info))
      expect_rows(frames, range, read_rows(reader, range.frame, range.first, range.rows), info.columns);
  });
  suite.check("reads the same again, from a second instance too", [&] {
    const auto second =
        open_frames(suite.registry(), suite.host(), suite.selection(), suite.settings().sample);
    if (whole_frames(reader) != frames || whole_frames(*second) != frames)
      throw Error("the pixels differ when they are read again");
  });
  suite.check("reads the same from several threads", [&] {
    const auto ranges = some_ranges(info);
    suite.settings().executor->parallel_for(
        static_cast<std::int64_t>(ranges.size()), [&](std::int64_t i, int) {
          const RowRange& range = ranges[static_cast<std::size_t>(i)];
          expect_rows(frames, range, read_rows(reader, range.frame, range.first, range.rows), info.columns);
        });
  });
  suite.check("gives widened pixels of their type", [&] {
    if (info.type != PixelType::u8) throw SkippedCheck("the sample is not uint8");
    for (const auto& [frame, pixels] : frames)
      if (std::any_of(pixels.begin(), pixels.end(), [](std::uint16_t v) { return v > 255; }))
        throw Error(fmt::format("frame {} of a uint8 stack holds values above 255", frame));
  });
  suite.check("gives the same counters and times again", [&] {
    for (const std::int64_t frame : some_frames(info)) {
      const FrameStamp a = reader.stamp(frame), b = reader.stamp(frame);
      if (a.has_counter != b.has_counter || a.has_time != b.has_time || a.counter != b.counter ||
          a.microseconds != b.microseconds)
        throw Error(fmt::format("the stamp of frame {} changes", frame));
    }
  });
}

/// Counts what a description says.
struct CountingSink final : MetadataSink {
  int entries = 0;
  void text(std::string_view key, std::string_view) override { count(key); }
  void integer(std::string_view key, std::int64_t) override { count(key); }
  void number(std::string_view key, double) override { count(key); }
  void count(std::string_view key) {
    if (key.empty()) throw Error("the description has an entry without a key");
    ++entries;
  }
};

}  // namespace

void check_frame_reader(ConformanceSuite& suite) {
  check_hostile_files(suite, [&](const fs::path& path) { open_and_read(suite, path); });
  const fs::path& sample = suite.settings().sample;
  std::unique_ptr<FrameReader> reader;
  suite.check("opens the sample", [&] {
    require_sample(suite);
    reader = open_frames(suite.registry(), suite.host(), suite.selection(), sample);
    if (reader->info().frames < 1) throw Error("the sample has no whole frame; give another one");
  });
  if (!reader) return;
  check_pixels(suite, *reader);
  suite.check("describes the sample", [&] {
    CountingSink sink;
    reader->describe(sink);
  });
  suite.check("survives damaged copies of the sample", [&] {
    if (!fs::is_regular_file(sample)) throw SkippedCheck("the sample is a folder");
    check_damaged_samples(suite);
  });
}

}  // namespace spim
