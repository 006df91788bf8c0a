// link: spim_dcimg
/// The reader of DCIMG files on every kind of valid and damaged file.

#include "plugins/readers/dcimg/dcimg.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "plugins/readers/dcimg/dcimg_options.hpp"
#include "spim/error.hpp"
#include "support/dcimg_files.hpp"
#include "support/recording_host.hpp"
#include "support/table_options.hpp"
#include "support/temporary_folder.hpp"

namespace {

using spim::DcimgReader;
using spim::DcimgSettings;
using spim::DcimgVersion;
using spim::Error;
using spim::test::Outcome;
using spim::test::RecordingHost;
using spim::test::TemporaryFolder;
using spim::test::write_dcimg_sample;
using testing::HasSubstr;

struct Choices {
  const char* padding = "end";
  bool restore = true;
  std::int64_t session = 0;
};

DcimgReader open(RecordingHost& host, const std::filesystem::path& path, Choices choices = {}) {
  const spim::test::TableOptions options(spim::kDcimgOptions,
                                         {{"padding", choices.padding},
                                          {"restore-pixels", choices.restore ? "true" : "false"},
                                          {"session", std::to_string(choices.session)}});
  return DcimgReader(host, options.options(), path.string());
}

void write_bytes(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// A buffer whose rows lie further apart than they are long, as the host's may.
struct Frame {
  Frame(std::int64_t rows, std::int64_t columns, std::int64_t gap)
      : pixels(static_cast<std::size_t>(rows * (columns + gap)), 0xABCD),
        view{pixels.data(), rows, columns, columns + gap} {}
  std::vector<std::uint16_t> pixels;
  spim::ImageView<std::uint16_t> view;
};

enum class Overwritten { restored, left, either };

bool is_overwritten(const DcimgSettings& s, std::int64_t row, std::int64_t x) {
  const spim::DcimgLayout layout = spim::dcimg_layout(s);
  if (layout.overwritten_at < 0) return false;
  const std::int64_t lead = s.padding_side == spim::DcimgPadding::start ? s.row_padding : 0;
  const std::int64_t first = (layout.overwritten_at % layout.row_bytes - lead) / spim::bytes_of(s.type);
  return row == layout.overwritten_at / layout.row_bytes && x >= first &&
         x < first + 8 / spim::bytes_of(s.type);
}

std::uint16_t camera_pattern(const DcimgSettings& s, std::int64_t i) {
  if (s.type == spim::PixelType::u16) return i % 2 == 0 ? 0 : 65535;
  return i % 4 < 2 ? 0 : 255;
}

/// Number of pixels of `view`, rows from `first_row` of `frame`, that are not what they must be.
std::int64_t wrong_pixels(const DcimgSettings& s, std::int64_t frame, std::int64_t first_row,
                          const spim::ImageView<std::uint16_t>& view, Overwritten overwritten) {
  std::int64_t wrong = 0;
  for (std::int64_t y = 0; y < view.rows; ++y)
    for (std::int64_t x = 0; x < view.columns; ++x) {
      const std::uint16_t got = view.row(y)[x];
      const std::uint16_t truth = spim::test::dcimg_pixel(s, frame, first_row + y, x);
      if (overwritten != Overwritten::restored && is_overwritten(s, first_row + y, x)) {
        const bool left = got == camera_pattern(s, x - s.overwritten_column);
        wrong += !(left || (overwritten == Overwritten::either && got == truth));
      } else {
        wrong += got != truth;
      }
    }
  return wrong;
}

void expect_frames(DcimgReader& reader, const DcimgSettings& s, std::int64_t frames,
                   Overwritten overwritten) {
  Frame dense(s.rows, s.columns, 0);
  for (std::int64_t frame = 0; frame < frames; ++frame) {
    reader.read(frame, 0, dense.view);
    EXPECT_EQ(wrong_pixels(s, frame, 0, dense.view, overwritten), 0) << "frame " << frame;
  }
}

spim::FrameStamp true_stamp(const DcimgSettings& s, std::int64_t frame) {
  std::uint32_t counter = s.first_counter + static_cast<std::uint32_t>(frame);
  for (const std::int64_t dropped : s.dropped_before) counter += dropped <= frame ? 1U : 0U;
  return {true, true, counter, s.first_microseconds + frame * s.interval_microseconds};
}

void expect_stamps(DcimgReader& reader, const DcimgSettings& s, std::int64_t frames) {
  for (std::int64_t frame = 0; frame < frames; ++frame) {
    const spim::FrameStamp got = reader.stamp(frame);
    const spim::FrameStamp truth = true_stamp(s, frame);
    EXPECT_TRUE(got.has_counter && got.has_time) << "frame " << frame;
    EXPECT_EQ(got.counter, truth.counter) << "frame " << frame;
    EXPECT_EQ(got.microseconds, truth.microseconds) << "frame " << frame;
  }
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string plain_name(const std::string& name) {
  std::string plain = name;
  for (char& c : plain)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return plain;
}

// ---------------------------------------------------------------- valid files

class ValidFile : public testing::TestWithParam<spim::test::DcimgSample> {
 protected:
  ValidFile() { write_dcimg_sample(path, GetParam()); }
  Choices usual() const {
    const bool start = GetParam().settings().padding_side == spim::DcimgPadding::start;
    return {.padding = start ? "start" : "end"};
  }
  TemporaryFolder folder;
  std::filesystem::path path = folder / "scan.dcimg";
  RecordingHost host;
};

TEST_P(ValidFile, IsReadByValueWithEveryPixelRestored) {
  const DcimgSettings& s = GetParam().settings();
  DcimgReader reader = open(host, path, usual());
  const spim::StackInfo info = reader.info();
  EXPECT_EQ(info.frames, s.frames);
  EXPECT_EQ(info.declared, s.frames);
  EXPECT_EQ(info.rows, s.rows);
  EXPECT_EQ(info.columns, s.columns);
  EXPECT_EQ(info.type, s.type);
  expect_frames(reader, s, s.frames, Overwritten::restored);
  expect_stamps(reader, s, s.frames);
  EXPECT_EQ(host.logged(spim::LogLevel::warning).empty(), s.row_padding == 0);
}

TEST_P(ValidFile, LeavesOverwrittenPixelsWhenAsked) {
  Choices choices = usual();
  choices.restore = false;
  DcimgReader reader = open(host, path, choices);
  expect_frames(reader, GetParam().settings(), GetParam().settings().frames, Overwritten::left);
}

TEST_P(ValidFile, GivesAnyRangeOfRowsAlone) {
  const DcimgSettings& s = GetParam().settings();
  DcimgReader reader = open(host, path, usual());
  for (const std::int64_t gap : {0, 5})
    for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{7}, s.rows / 2, s.rows}) {
      Frame part(rows, s.columns, gap);
      for (std::int64_t first = 0; first + rows <= s.rows; first += std::max<std::int64_t>(s.rows / 20, 1)) {
        reader.read(s.frames - 1, first, part.view);
        ASSERT_EQ(wrong_pixels(s, s.frames - 1, first, part.view, Overwritten::restored), 0)
            << rows << " rows from " << first << " with gap " << gap;
      }
      for (std::int64_t i = 0; gap > 0 && i < rows; ++i)
        ASSERT_EQ(part.view.row(i)[s.columns], 0xABCD) << "written between rows";
    }
}

INSTANTIATE_TEST_SUITE_P(Dcimg, ValidFile, testing::ValuesIn(spim::test::valid_dcimg_samples()),
                         [](const auto& parameter) { return plain_name(parameter.param.name); });

TEST(DcimgReader, KnowsThirtySixKindsOfValidFiles) {
  EXPECT_EQ(spim::test::valid_dcimg_samples().size(), 36U);
}

// ---------------------------------------------------------------- damaged files

class DamagedFile : public testing::TestWithParam<std::string> {};

void expect_outcome(const spim::test::DamagedDcimg& damaged, const DcimgSettings& s,
                    const std::filesystem::path& path) {
  RecordingHost host;
  if (damaged.outcome == Outcome::refused) {
    const std::string error = error_of([&] { open(host, path); });
    EXPECT_THAT(error, HasSubstr(path.string()));
    EXPECT_THAT(error, HasSubstr("; ")) << "no remedy";
    return;
  }
  std::unique_ptr<DcimgReader> reader;
  try {
    reader.reset(new DcimgReader(open(host, path)));
  } catch (const Error& error) {
    EXPECT_EQ(damaged.outcome, Outcome::readable_or_refused) << error.what();
    return;
  }
  const std::int64_t frames = reader->info().frames;
  EXPECT_GE(frames, damaged.fewest_frames);
  EXPECT_LE(frames, damaged.most_frames);
  const bool lost = damaged.outcome == Outcome::overwritten ||
                    (damaged.outcome == Outcome::partial && s.version == DcimgVersion::v7);
  expect_frames(*reader, s, frames, lost ? Overwritten::either : Overwritten::restored);
  if (damaged.outcome == Outcome::readable) expect_stamps(*reader, s, frames);
  if (damaged.outcome == Outcome::readable_no_stamps) {
    EXPECT_FALSE(reader->stamp(0).has_counter || reader->stamp(0).has_time);
  }
  if (frames < reader->info().declared) {
    Frame beyond(s.rows, s.columns, 0);
    EXPECT_THAT(error_of([&] { reader->read(frames, 0, beyond.view); }), HasSubstr("is cut short"));
  }
}

TEST_P(DamagedFile, LeadsToOneSentenceOrToWhatIsLeftOfIt) {
  const DcimgSettings s = spim::test::valid_dcimg_sample(GetParam()).settings();
  const TemporaryFolder folder;
  const auto path = folder / "damaged.dcimg";
  const auto all = spim::test::damaged_dcimgs(s, folder.path());
  EXPECT_GE(all.size(), 56U);
  for (const auto& damaged : all) {
    SCOPED_TRACE(damaged.name);
    write_bytes(path, damaged.bytes);
    EXPECT_NO_THROW(expect_outcome(damaged, s, path));
  }
}

INSTANTIATE_TEST_SUITE_P(Dcimg, DamagedFile, testing::Values("v7", "v1", "v1_usb", "v1.5", "v2"),
                         [](const auto& parameter) { return plain_name(parameter.param); });

// ---------------------------------------------------------------- padding, sessions, places

TEST(DcimgReader, TakesPaddingAtTheEndUnlessToldOtherwiseAndSaysSo) {
  const TemporaryFolder folder;
  const auto path = folder / "scan.dcimg";
  const auto sample = spim::test::valid_dcimg_sample("v1_padded_at_start");
  write_dcimg_sample(path, sample);
  RecordingHost host;
  DcimgReader reader = open(host, path);
  EXPECT_THAT(host.logged(spim::LogLevel::warning), HasSubstr("16 bytes more than pixels"));
  EXPECT_THAT(host.logged(spim::LogLevel::warning), HasSubstr("--set reader.padding=start"));
  Frame frame(sample.settings().rows, sample.settings().columns, 0);
  reader.read(0, 0, frame.view);
  EXPECT_EQ(frame.pixels[0], 0xEEEE) << "the padding of the start, shown as pixels";
  EXPECT_EQ(frame.pixels[8], spim::test::dcimg_pixel(sample.settings(), 0, 0, 0));
}

TEST(DcimgReader, ReadsTheSessionThatIsAskedFor) {
  for (const char* name : {"v1_two_sessions", "v7_two_sessions"}) {
    const TemporaryFolder folder;
    const auto path = folder / "scan.dcimg";
    const auto sample = spim::test::valid_dcimg_sample(name);
    write_dcimg_sample(path, sample);
    RecordingHost host;
    DcimgReader reader = open(host, path, {.session = 1});
    EXPECT_EQ(reader.info().frames, 2);
    EXPECT_EQ(reader.info().rows, 24);
    expect_frames(reader, sample.sessions[1], 2, Overwritten::restored);
    expect_stamps(reader, sample.sessions[1], 2);
    EXPECT_THAT(error_of([&] { open(host, path, {.session = 2}); }),
                HasSubstr("has no session 2; choose one of 0 to 1"));
  }
}

TEST(DcimgReader, RestoresOnlyWhatHoldsThePatternWhereNothingIsDeclared) {
  // A file without blocks, one of whose frames the camera left alone at the usual place.
  const TemporaryFolder folder;
  const auto path = folder / "scan.dcimg";
  DcimgSettings s = spim::test::valid_dcimg_sample("v2").settings();
  s.blocks = false;
  write_dcimg_sample(path, {"v2", {s}});
  {
    const spim::DcimgLayout layout = spim::dcimg_layout(s);
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(layout.header_size + layout.data_offset + 3 * layout.stride);
    const std::uint16_t true_pixels[] = {11, 22, 33, 44};
    file.write(reinterpret_cast<const char*>(true_pixels), 8);
  }
  RecordingHost host;
  DcimgReader reader = open(host, path);
  Frame frame(s.rows, s.columns, 0);
  reader.read(2, 0, frame.view);
  EXPECT_EQ(wrong_pixels(s, 2, 0, frame.view, Overwritten::restored), 0);
  reader.read(3, 0, frame.view);
  EXPECT_THAT(std::vector<std::uint16_t>(frame.pixels.begin(), frame.pixels.begin() + 4),
              testing::ElementsAre(11, 22, 33, 44));
}

TEST(DcimgReader, RestoresInTheMiddleOfARow) {
  const TemporaryFolder folder;
  for (const DcimgVersion version : {DcimgVersion::v7, DcimgVersion::v1, DcimgVersion::v2}) {
    DcimgSettings s = spim::test::valid_dcimg_sample("v1").settings();
    s.version = version, s.overwritten_row = 31, s.overwritten_column = 60, s.row_padding = 6;
    const auto path = folder / "scan.dcimg";
    write_dcimg_sample(path, {"scan", {s}});
    RecordingHost host;
    DcimgReader reader = open(host, path);
    expect_frames(reader, s, s.frames, Overwritten::restored);
  }
}

TEST(DcimgReader, KeepsMemoryBoundedForRowsLongerThanItsBuffer) {
  const TemporaryFolder folder;
  for (const spim::PixelType type : {spim::PixelType::u8, spim::PixelType::u16}) {
    DcimgSettings s = spim::test::valid_dcimg_sample("v1").settings();
    s.rows = 3, s.columns = 300'001, s.row_padding = 10, s.type = type, s.frames = 2;
    const auto path = folder / "scan.dcimg";
    write_dcimg_sample(path, {"scan", {s}});
    RecordingHost host;
    DcimgReader reader = open(host, path);
    expect_frames(reader, s, s.frames, Overwritten::restored);
  }
}

// ---------------------------------------------------------------- large files, threads, changes

TEST(DcimgReader, ReadsFramesBehindFourGigabytesByValue) {
  for (const DcimgVersion version : {DcimgVersion::v1, DcimgVersion::v7}) {
    const TemporaryFolder folder;
    const auto path = folder / "scan.dcimg";
    DcimgSettings s;
    s.version = version, s.frames = 700, s.rows = s.columns = 2048;
    spim::DcimgWriter writer(path, s);
    Frame frame(s.rows, s.columns, 0);
    for (std::int64_t y = 0; y < s.rows; ++y)
      for (std::int64_t x = 0; x < s.columns; ++x)
        frame.view.row(y)[x] = spim::test::dcimg_pixel(s, 690, y, x);
    writer.skip(690);
    writer.write({frame.view.data, s.rows, s.columns, s.columns});
    writer.skip(9);
    writer.close();
    ASSERT_GT(std::filesystem::file_size(path), std::uintmax_t{5} << 30);

    RecordingHost host;
    DcimgReader reader = open(host, path);
    EXPECT_EQ(reader.info().frames, 700);
    std::fill(frame.pixels.begin(), frame.pixels.end(), std::uint16_t{1});
    reader.read(690, 0, frame.view);
    EXPECT_EQ(wrong_pixels(s, 690, 0, frame.view, Overwritten::restored), 0);
    EXPECT_EQ(reader.stamp(690).counter, 690U);
    reader.read(689, 0, frame.view);
    EXPECT_EQ(std::count(frame.pixels.begin(), frame.pixels.end(), 0), s.rows * s.columns);
  }
}

TEST(DcimgReader, ServesThreadsAtTheSameTime) {
  const TemporaryFolder folder;
  for (const char* name : {"v7_padded", "v1", "v2_uint8"}) {
    const auto path = folder / "scan.dcimg";
    const auto sample = spim::test::valid_dcimg_sample(name);
    const DcimgSettings& s = sample.settings();
    write_dcimg_sample(path, sample);
    RecordingHost host;
    DcimgReader reader = open(host, path);
    std::atomic<std::int64_t> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        Frame part(13, s.columns, t);
        for (std::int64_t i = 0; i < 300; ++i) {
          const std::int64_t frame = (i + t) % s.frames, first = (i * 7 + t) % (s.rows - 13);
          reader.read(frame, first, part.view);
          wrong += wrong_pixels(s, frame, first, part.view, Overwritten::restored);
          wrong += reader.stamp(frame).counter != static_cast<std::uint32_t>(frame);
        }
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0) << name;
  }
}

TEST(DcimgReader, NoticesThatTheFileChangesWhileItIsRead) {
  const TemporaryFolder folder;
  const auto path = folder / "scan.dcimg";
  const auto sample = spim::test::valid_dcimg_sample("v1");
  write_dcimg_sample(path, sample);
  RecordingHost host;
  Frame frame(sample.settings().rows, sample.settings().columns, 0);
  DcimgReader reader = open(host, path);
  reader.read(4, 0, frame.view);
  const auto size = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, size / 2);
  EXPECT_THAT(error_of([&] { reader.read(4, 0, frame.view); }),
              HasSubstr("was changed while it was being read"));
  std::filesystem::resize_file(path, size);
  EXPECT_THAT(error_of([&] { reader.read(4, 0, frame.view); }),
              HasSubstr("was changed while it was being read"))
      << "of the former size, but with other contents";
}

// ---------------------------------------------------------------- stamps and description

class Description final : public spim::MetadataSink {
 public:
  void text(std::string_view key, std::string_view value) override { texts[std::string(key)] = value; }
  void integer(std::string_view key, std::int64_t value) override { integers[std::string(key)] = value; }
  void number(std::string_view key, double value) override { numbers[std::string(key)] = value; }
  std::map<std::string, std::string> texts;
  std::map<std::string, std::int64_t> integers;
  std::map<std::string, double> numbers;
};

Description describe(const std::string& sample) {
  const TemporaryFolder folder;
  const auto path = folder / "scan.dcimg";
  write_dcimg_sample(path, spim::test::valid_dcimg_sample(sample));
  RecordingHost host;
  Description description;
  open(host, path).describe(description);
  return description;
}

TEST(DcimgReader, DescribesDroppedFrames) {
  Description d = describe("v1_dropped_frames");
  EXPECT_EQ(d.integers["dropped_frames"], 2);
  EXPECT_EQ(d.texts["dropped_where"], "1 before frame 2, 1 before frame 4");
}

TEST(DcimgReader, DoesNotTakeACounterThatWrapsForDroppedFrames) {
  Description d = describe("v1_counter_wraps");
  EXPECT_EQ(d.integers["dropped_frames"], 0);
  EXPECT_EQ(d.integers.count("counter_not_rising"), 0U);
  EXPECT_EQ(d.texts["first_time"], "2020-09-13 12:26:40.999990 UTC");
  EXPECT_EQ(d.texts["last_time"], "2020-09-13 12:26:41.039990 UTC");
  EXPECT_DOUBLE_EQ(d.numbers["mean_interval_ms"], 10.0);
}

TEST(DcimgReader, DescribesCameraAndLayout) {
  Description d = describe("published_v1_cell");
  EXPECT_EQ(d.texts["version"], "1.0 (framed)");
  EXPECT_EQ(d.texts["camera_model"], "C11440-22C");
  EXPECT_EQ(d.texts["camera_serial"], "S/N: 001634");
  EXPECT_EQ(d.texts["sub_array"], "x 0 to 2047, y 940 to 1107 of the sensor");
  EXPECT_EQ(d.integers["binning"], 1);
  EXPECT_EQ(d.texts["overwritten_pixels"], "row 83, columns 0 to 3: restored");
  EXPECT_EQ(d.integers["first_pixel_at"], 896);
  EXPECT_EQ(d.integers["bytes_behind_frames"], 144 + 32);
  EXPECT_EQ(describe("v1_binned").integers["binning"], 2);
  EXPECT_EQ(describe("v1_usb").texts["overwritten_pixels"], "none known");
}

TEST(DcimgReader, IsSureOfAFileByItsFirstEightBytes) {
  const auto probe = [](std::string_view head) {
    return DcimgReader::probe("x", reinterpret_cast<const unsigned char*>(head.data()), head.size());
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(probe("DCIMG\0\0\0\7"sv), 100);
  EXPECT_EQ(probe("DCIMGxyz\7"sv), 0);
  EXPECT_EQ(probe("DCIMG"sv), 0);
  EXPECT_EQ(probe(""sv), 0);
}

// ---------------------------------------------------------------- wording

TEST(DcimgReader, NamesTheFrameTheFileEndsInAndWhatToDo) {
  const TemporaryFolder folder;
  const auto path = folder / "scan.dcimg";
  const DcimgSettings s = spim::test::valid_dcimg_sample("v1").settings();
  write_dcimg_sample(path, {"scan", {s}});
  const spim::DcimgLayout layout = spim::dcimg_layout(s);
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(872 + 3 * layout.stride + 1234));
  RecordingHost host;
  DcimgReader reader = open(host, path);
  EXPECT_EQ(reader.info().frames, 3);
  EXPECT_EQ(reader.info().declared, 5);
  EXPECT_EQ(host.logged(spim::LogLevel::warning),
            path.string() + " is cut short: it holds 3 of 5 declared frames\n");
  Frame frame(s.rows, s.columns, 0);
  EXPECT_EQ(error_of([&] { reader.read(3, 0, frame.view); }),
            "frame 3 of " + path.string() +
                " is cut short: 1,234 of 5,120 bytes; use --allow-truncated to stop at frame 2");
  EXPECT_EQ(error_of([&] { reader.read(4, 0, frame.view); }),
            "frame 4 of " + path.string() +
                " is cut short: 0 of 5,120 bytes; use --allow-truncated to stop at frame 2");
  EXPECT_EQ(error_of([&] { reader.read(5, 0, frame.view); }),
            path.string() + " has no frame 5; its frames are 0 to 4");
}

TEST(DcimgReader, SaysThatARecordingIsStillBeingWritten) {
  const TemporaryFolder folder;
  const auto path = folder / "scan.dcimg";
  const DcimgSettings s = spim::test::valid_dcimg_sample("v1").settings();
  {
    spim::DcimgWriter writer(path, s);
    writer.skip(2);
  }
  RecordingHost host;
  EXPECT_EQ(
      error_of([&] { open(host, path); }),
      path.string() +
          " says that it holds no frames, yet 10,304 bytes of data follow: it is still being written, or "
          "its recording was never closed; wait for the recording to end");
}

TEST(DcimgReader, SaysWhyAFileCannotBeOpened) {
  const TemporaryFolder folder;
  RecordingHost host;
  EXPECT_THAT(error_of([&] { open(host, folder / "none.dcimg"); }),
              HasSubstr("cannot be opened: No such file"));
  EXPECT_THAT(error_of([&] { open(host, folder.path()); }), HasSubstr("is not a regular file"));
  write_bytes(folder / "other.dcimg", std::vector<std::uint8_t>(4096, 7));
  EXPECT_THAT(error_of([&] { open(host, folder / "other.dcimg"); }),
              HasSubstr("does not begin as a DCIMG file does"));
}

TEST(DcimgReader, RefusesRowsThatAreNotThere) {
  const TemporaryFolder folder;
  const auto path = folder / "scan.dcimg";
  write_dcimg_sample(path, spim::test::valid_dcimg_sample("v1"));
  RecordingHost host;
  DcimgReader reader = open(host, path);
  Frame frame(10, 64, 0);
  EXPECT_THROW(reader.read(0, 31, frame.view), Error);
  EXPECT_THROW(reader.read(0, -1, frame.view), Error);
  EXPECT_THROW(reader.read(-1, 0, frame.view), Error);
  Frame narrow(10, 63, 0);
  EXPECT_THROW(reader.read(0, 0, narrow.view), Error);
}

}  // namespace
